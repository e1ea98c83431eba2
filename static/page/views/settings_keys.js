/** API keys: made, shown once, and revoked. */

import {useLoaded} from "./failed.js";
import {Field, Form} from "./form.js";
import {html, useRef, useSignal} from "./html.js";
import {copyText} from "./clipboard.js";
import {quillium} from "../state/client.js";
import {tellError} from "../state/notices.js";
import {shortTime, t} from "../state/words.js";

const PAGE = 100;

export function Keys() {
  const list = async () => (await quillium.call("GET", `/users/api-key?limit=${PAGE}`)).data;
  const {value: keys, state, reload} = useLoaded(list);
  const made = useSignal(null);
  async function make({name}, form) {
    made.value = await quillium.call("POST", "/users/api-key", name.trim() ? {name: name.trim()} : {});
    form.reset();
    await reload();
  }
  async function revoke(id) {
    await quillium.call("DELETE", `/users/api-key/${id}`);
    if (made.value?.id === id) made.value = null;
    await reload();
  }
  return html`
    <p class="hint">${t("keys.lead")}</p>
    <${Form} send=${make} label=${t("keys.make")}>
      <${Field} label=${t("keys.name")} name="name" maxlength="100" placeholder=${t("keys.name_example")} />
    <//>
    ${made.value && html`<${Made} key=${made.value.id} made=${made.value} />`}
    ${state}
    <ul class="rows">
      ${keys.value?.map(({id, name, prefix, created_at, last_used_at}) => html`
        <li key=${id}>
          <span><strong>${name}</strong> <code>${prefix}…</code></span>
          <span class="hint">
            ${t("keys.made", {time: shortTime(created_at)})}, ${last_used_at
              ? t("keys.used", {time: shortTime(last_used_at)}) : t("keys.never_used")}
          </span>
          <button type="button" class="quiet" aria-label=${t("keys.revoke_name", {name})}
            onClick=${() => revoke(id).catch(tellError)}>${t("keys.revoke")}</button>
        </li>`)}
    </ul>
    ${keys.value?.length === 0 && html`<p class="hint">${t("keys.none")}</p>`}`;
}

function Made({made: {api_key}}) {
  const copy = useRef(null);
  return html`
    <div class="made-key" role="status">
      <p>${t("keys.shown_once")}</p>
      <code>${api_key}</code>
      <button type="button" ref=${copy} onClick=${() => copyText(api_key, copy.current)}>${t("action.copy")}</button>
    </div>`;
}
