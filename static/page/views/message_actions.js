/** What can be done with a stored message: edit it, go to another version, delete it. */

import {Dialog, dialog, leaveDialog} from "./dialog.js";
import {Form} from "./form.js";
import {html, useLayoutEffect, useRef} from "./html.js";
import {Icon} from "./icons.js";
import {isComposing} from "./keys.js";
import {conversationOf, edit, removeMessage, selectVersion, versionOf} from "../state/conversations.js";
import {tellError} from "../state/notices.js";
import {t} from "../state/words.js";

let chosen = null; // the version that was gone to last, and in which direction

const Action = ({icon, label, ...properties}) => html`
  <button type="button" class="quiet" aria-label=${label} title=${label} ...${properties}>
    <${Icon} name=${icon} />
  </button>`;

export const EditButton = ({onClick}) =>
  html`<${Action} icon="edit" label=${t("message.edit")} onClick=${onClick} />`;

export const DeleteButton = ({message}) => html`
  <${Action} icon="trash" label=${t("message.delete")}
    onClick=${() => (dialog.value = {name: "delete_message", message})} />`;

/** "2/3" between arrows, where a message has versions. The focus follows to the one that is gone to. */
export function Versions({message}) {
  const {id, chat_id, version = 1, version_count: count = 1} = message;
  const place = useRef(null);
  useLayoutEffect(() => {
    if (chosen?.id !== id || !place.current) return;
    const buttons = [...place.current.querySelectorAll("button")];
    (buttons.find(({dataset, disabled}) => dataset.step === chosen.step && !disabled)
      ?? buttons.find(({disabled}) => !disabled)).focus();
    chosen = null;
  }, [id]);
  if (count < 2) return null;
  const isReplying = conversationOf(chat_id).isReplying.value;
  const go = step => async () => {
    try {
      chosen = {id: await versionOf(message, version + step), step: String(step)};
      await selectVersion(chat_id, chosen.id); // the frame that shows it may come before the response
    } catch (error) {
      chosen = null;
      tellError(error);
    }
  };
  return html`
    <span ref=${place} class="versions" role="group" aria-label=${t("message.version", {version, count})}>
      <${Action} icon="previous" label=${t("message.previous")} data-step="-1"
        disabled=${isReplying || version === 1} onClick=${go(-1)} />
      ${version}/${count}
      <${Action} icon="next" label=${t("message.next")} data-step="1"
        disabled=${isReplying || version === count} onClick=${go(1)} />
    </span>`;
}

/** A message of the user while it is edited. Enter sends, Escape cancels, as in the composer. */
export function Editor({message, close}) {
  const place = useRef(null);
  const grow = () => {
    place.current.style.height = "auto";
    place.current.style.height = `${place.current.scrollHeight}px`;
  };
  useLayoutEffect(() => {
    grow();
    place.current.focus();
    place.current.setSelectionRange(message.content.length, message.content.length);
  }, []);
  async function send() {
    const content = place.current.value;
    if (content === message.content) return close();
    await edit(message, content);
    return close();
  }
  function press(event) {
    if (isComposing(event)) return;
    if (event.key === "Escape") {
      event.stopPropagation(); // it would stop the reply
      close();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      place.current.form.requestSubmit();
    }
  }
  const cancel = html`<button type="button" onClick=${close}>${t("action.cancel")}</button>`;
  return html`
    <${Form} send=${send} label=${t("composer.send")} beside=${cancel} className="editor">
      <textarea ref=${place} rows="1" required maxlength="100000" aria-label=${t("message.edit")}
        onInput=${grow} onKeyDown=${press}>${message.content}</textarea>
    <//>`;
}

export function DeleteMessage({message}) {
  async function send(_, form) {
    await removeMessage(message);
    leaveDialog(form);
  }
  return html`
    <${Dialog} title=${t("message.delete_title")} className="small">
      <${Form} send=${send} label=${t("message.delete")}><p>${t("message.delete_hint")}</p><//>
    <//>`;
}
