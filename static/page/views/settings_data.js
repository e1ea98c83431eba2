/** Chats that come from a file, or go into one. */

import {dialog} from "./dialog.js";
import {Field} from "./form.js";
import {html, useRef} from "./html.js";
import {bring, cancel, progress, summary} from "../state/imports.js";
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
  async function read({target}) {
    const files = [...target.files];
    target.value = ""; // so that the same file, mended, can be chosen again
    try {
      if (!await bring(files)) return notify(t("import.unknown"), {isError: true});
    } catch (error) {
      tellError(error);
    }
    const {chats, present, skipped, leftOut} = summary.value ?? {chats: []};
    const dialog = place.current?.closest("dialog");
    if (chats.length !== 1 || present || skipped.length || leftOut || !dialog) return;
    dialog.close();
    show(chats[0].id);
  }
  return html`
    <div ref=${place}>
      <${Field} label=${t("import.label")} hint=${t("import.hint")} type="file" multiple
        accept=".json,.ndjson,.zip,application/json,application/x-ndjson,application/zip"
        disabled=${progress.value !== null} onChange=${read} />
      ${progress.value && html`<${Progress} ...${progress.value} />`}
      ${summary.value && html`<${Summary} ...${summary.value} />`}
    </div>`;
}

const Progress = ({number, total, share}) => html`
  <div class="row">
    <label class="hint">${total > 1 ? t("import.progress_of", {number, total}) : t("import.progress", {percent: Math.floor(100 * share)})}
      ${" "}<progress value=${share} /></label>
    <button type="button" class="quiet" onClick=${cancel}>${t("action.cancel")}</button>
  </div>`;

/** What an import did, and what it left out with the reason. */
function Summary({chats, present, skipped, leftOut}) {
  const lines = [
    t("import.done", {count: chats.length}),
    present > 0 && t("import.present", {count: present}),
    leftOut > 0 && t("import.left_out", {count: leftOut}),
    skipped.length > 0 && t("import.skipped", {count: skipped.length}),
  ];
  return html`
    <div class="outcome" role="status">
      ${lines.filter(Boolean).map(line => html`<p>${line}</p>`)}
      ${skipped.length > 0 && html`
        <ul class="hint">${skipped.map(({title, reason}) => html`<li dir="auto">${title || "–"}: ${reason}</li>`)}</ul>`}
    </div>`;
}
