/** Files: chosen for a message, attached to one, and an image in full. */

import {dialog, Dialog} from "./dialog.js";
import {html, useEffect, useSignal} from "./html.js";
import {Icon, IconButton} from "./icons.js";
import {contentOf, detach, filesOf, isPicture, pictureOf} from "../state/attachments.js";
import {tellError} from "../state/notices.js";
import {saveAs} from "../state/saving.js";
import {language, t} from "../state/words.js";

/** What will be sent with the next message. @param {{id: string | null}} props of the chat */
export function ChosenFiles({id}) {
  const files = filesOf(id);
  if (!files.length) return null;
  return html`
    <ul class="files" aria-label=${t("attach.list")}>${files.map(file => html`
      <li key=${file} class="file">
        ${isPicture(file) ? html`<${Picture} file=${file} />` : html`<${Icon} name="file" />`}
        <span class="file-name" title=${file.name}>${file.name}</span>
        <span class="file-size">${sizeInWords(file.size)}</span>
        <${IconButton} icon="close" label=${t("attach.remove", {name: file.name})} onClick=${() => detach(id, file)} />
      </li>`)}
    </ul>`;
}

/** The files of a message: images open in full, others are saved. */
export const AttachedFiles = ({files}) => html`
  <ul class="files" aria-label=${t("attach.list")}>${files.map(file => html`
    <li key=${file.id ?? file}>${isPicture(file)
      ? html`
        <button type="button" class="picture" aria-label=${t("attach.open", {name: file.name})}
          onClick=${() => (dialog.value = {name: "picture", file})}><${Picture} file=${file} /></button>`
      : html`
        <button type="button" class="file" aria-label=${t("attach.save", {name: file.name})}
          onClick=${() => saveFile(file)}>
          <${Icon} name="file" /> <span class="file-name">${file.name}</span>
          <span class="file-size">${sizeInWords(file.size)}</span>
        </button>`}
    </li>`)}
  </ul>`;

/** An image in full. */
export const PictureViewer = ({file}) => html`
  <${Dialog} title=${file.name} className="viewer">
    <${Picture} file=${file} />
    <p class="about">
      ${sizeInWords(file.size)}
      <button type="button" class="quiet" onClick=${() => saveFile(file)}><${Icon} name="save" /> ${t("action.save")}</button>
    </p>
  <//>`;

const saveFile = file => contentOf(file).then(content => saveAs(content, file.name), tellError);

/** The image is decoration where its name stands beside it or in a label. */
function Picture({file}) {
  const source = useSignal(undefined);
  useEffect(() => {
    let isShown = true;
    pictureOf(file).then(url => isShown && (source.value = url), () => {}); // its place stays empty
    return () => (isShown = false);
  }, [file]);
  return html`<img src=${source.value} alt="" />`;
}

/** A size such as `1.5 MB`. */
function sizeInWords(bytes) {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kilobyte"] : [bytes / 1e6, "megabyte"];
  return value.toLocaleString(language(), {style: "unit", unit, maximumSignificantDigits: 2});
}
