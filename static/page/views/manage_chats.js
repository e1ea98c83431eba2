/** A dialog for several chats at once, and for the archive. */

import {Dialog} from "./dialog.js";
import {Failed} from "./failed.js";
import {Check} from "./form.js";
import {html, useEffect, useSignal} from "./html.js";
import {archive, list, removeAll, saveAll} from "../state/managing.js";
import {tellError} from "../state/notices.js";
import {fullTime, shortTime, t} from "../state/words.js";

export function ManageChats() {
  const isArchive = useSignal(false);
  const shown = useSignal(null); // {chats, total}; null while they are loaded
  const error = useSignal(null);
  const chosen = useSignal(new Set()); // ids
  const isAsking = useSignal(false); // whether the chosen ones are to be deleted

  async function load(count) {
    error.value = null;
    try {
      shown.value = await list({isArchive: isArchive.value, count});
      const ids = new Set(shown.value.chats.map(({id}) => id));
      chosen.value = new Set([...chosen.value].filter(id => ids.has(id)));
    } catch (failure) {
      error.value = failure;
    }
  }
  useEffect(() => {
    [shown.value, chosen.value, isAsking.value] = [null, new Set(), false];
    load();
  }, [isArchive.value]);
  const act = what => async () => {
    isAsking.value = false;
    try {
      await what([...chosen.value]);
    } catch (failure) {
      tellError(failure);
    }
    await load(shown.value?.chats.length);
  };
  const {chats = [], total = 0} = shown.value ?? {};
  const {size} = chosen.value;
  const choose = (id, isChosen) => {
    const ids = new Set(chosen.value);
    if (isChosen) ids.add(id);
    else ids.delete(id);
    [chosen.value, isAsking.value] = [ids, false];
  };
  const chooseAll = ({target}) => (chosen.value = new Set(target.checked ? chats.map(({id}) => id) : []));
  const button = (label, run, className) => html`
    <button type="button" class=${className} disabled=${size === 0} onClick=${run}>${label}</button>`;
  return html`
    <${Dialog} title=${t("manage.title")} className="manage">
      <div class="manage-body">
        <${Check} label=${t("manage.archived")} checked=${isArchive.value}
          onChange=${({target}) => (isArchive.value = target.checked)} />
        <${Check} label=${t("manage.all", {count: chats.length})} checked=${size > 0 && size === chats.length}
          disabled=${chats.length === 0} onChange=${chooseAll} />
        ${error.value && html`<${Failed} error=${error.value} retry=${() => load()} />`}
        <ul class="manage-list" aria-busy=${shown.value === null}>
          ${chats.map(({id, title, updated_at}) => html`
            <li key=${id}>
              <${Check} label=${html`<span dir="auto">${title}</span>`} checked=${chosen.value.has(id)}
                onChange=${({target}) => choose(id, target.checked)} />
              <time datetime=${updated_at} title=${fullTime(updated_at)}>${shortTime(updated_at)}</time>
            </li>`)}
        </ul>
        ${shown.value && total === 0 && html`<p class="hint">${t("manage.none")}</p>`}
        ${chats.length < total && html`
          <button type="button" class="link more" onClick=${() => load(chats.length + 1)}>${t("chats.more")}</button>`}
        ${isAsking.value && html`<p role="alert">${t("manage.ask", {count: size})}</p>`}
        <div class="form-end">
          ${button(t(isArchive.value ? "chat.restore" : "chat.archive"), act(ids => archive(ids, !isArchive.value)))}
          ${button(t("manage.export"), act(saveAll))}
          ${isAsking.value
            ? button(t("manage.delete", {count: size}), act(removeAll), "danger")
            : button(t("chat.delete"), () => (isAsking.value = true), "danger")}
          <button type="button" class="quiet" onClick=${() => saveAll(null).catch(tellError)}>${t("manage.export_all")}</button>
        </div>
      </div>
    <//>`;
}
