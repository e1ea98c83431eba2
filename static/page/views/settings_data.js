/** Chats that come from a file, or go into one. */

import {dialog} from "./dialog.js";
import {Field} from "./form.js";
import {html, useRef, useSignal} from "./html.js";
import {bring} from "../state/imports.js";
import {saveAll} from "../state/managing.js";
import {notify, tellError} from "../state/notices.js";
import {show} from "../state/route.js";
import {t} from "../state/words.js";

export const Data = () => html`
  <section><${Import} /></section>
  <section>
    <h3>${t("data.export")}</h3>
    <p class="hint">${t("data.export_hint")}</p>
    <button type="button" onClick=${() => saveAll(null).catch(tellError)}>${t("manage.export_all")}</button>
  </section>
  <section>
    <h3>${t("manage.title")}</h3>
    <p class="hint">${t("data.manage_hint")}</p>
    <button type="button" onClick=${() => (dialog.value = {name: "manage"})}>${t("manage.title")}</button>
  </section>`;

function Import() {
  const place = useRef(null);
  const share = useSignal(null); // of the file, while it is imported
  async function read({target}) {
    share.value = 0;
    try {
      const chat = await bring(target.files[0], stored => (share.value = stored));
      const dialog = place.current?.closest("dialog");
      if (!dialog) return; // closed meanwhile; the chat is in the list
      dialog.close();
      show(chat.id);
    } catch (error) {
      if (error instanceof SyntaxError) notify(t("import.not_json"), {isError: true});
      else tellError(error);
      target.value = ""; // so that the same file, mended, can be chosen again
    } finally {
      share.value = null;
    }
  }
  return html`
    <div ref=${place}>
      <${Field} label=${t("import.label")} hint=${t("import.hint")} type="file" accept=".json,.ndjson,application/json,application/x-ndjson"
        disabled=${share.value !== null} onChange=${read} />
      ${share.value !== null && html`
        <label class="hint">${t("import.progress", {percent: Math.floor(100 * share.value)})}
          ${" "}<progress value=${share.value} /></label>`}
    </div>`;
}
