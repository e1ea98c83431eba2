/** Where the user writes: it grows, keeps drafts, and sends on Enter. */

import {html, useEffect, useLayoutEffect, useRef, useSignal} from "./html.js";
import {Icon, IconButton} from "./icons.js";
import {ModelOptions} from "./form.js";
import {quillium} from "../state/client.js";
import {returned, stop} from "../state/conversations.js";
import {draftOf, keepDraft} from "../state/drafts.js";
import {models} from "../state/session.js";
import {language, t} from "../state/words.js";

const MOST_CHARACTERS = 100_000;
const TYPING_MS = 3_000; // between two words to the user's other devices that they type
const hasKeyboard = matchMedia("(pointer: fine)").matches; // else focus would open one on the screen

/**
 * @param {object} props
 * @param {string | null} props.id of the chat; null for a new one
 * @param {string} props.model who is to answer
 * @param {(model: string) => void} props.choose
 * @param {(content: string) => void} props.send
 * @param {boolean} props.isReplying
 */
export function Composer({id, model, choose, send, isReplying}) {
  const text = useSignal(draftOf(id));
  const place = useRef(null);
  const toldAt = useRef(0);
  const back = returned.value;
  useEffect(() => (text.value = draftOf(id)), [back]);
  useEffect(() => hasKeyboard && place.current.focus(), []);
  useLayoutEffect(() => {
    place.current.style.height = "auto";
    place.current.style.height = `${place.current.scrollHeight}px`;
  }, [text.value]);

  const characters = text.value.length > MOST_CHARACTERS ? [...text.value].length : 0;
  const isTooLong = characters > MOST_CHARACTERS;
  const canSend = text.value.trim() !== "" && !isTooLong;

  function write(value) {
    text.value = value;
    keepDraft(id, value);
    if (id && Date.now() > toldAt.current + TYPING_MS) {
      toldAt.current = Date.now();
      quillium.typing(id);
    }
  }
  function submit(event) {
    event.preventDefault();
    place.current.focus();
    if (!canSend) return;
    const content = text.value;
    write("");
    toldAt.current = 0;
    if (id) quillium.typing(id, false);
    send(content);
  }
  function press(event) {
    if (event.isComposing) return; // Enter belongs to the input method
    if (event.key === "Enter" && !event.shiftKey) submit(event);
    if (event.key === "Escape" && isReplying) stop(id);
  }
  return html`
    <form class="composer" onSubmit=${submit}>
      <textarea ref=${place} id="composer" rows="1" value=${text.value} aria-label=${t("composer.label")}
        placeholder=${t("composer.placeholder")} onInput=${event => write(event.target.value)} onKeyDown=${press}
        aria-describedby="composer-problem" />
      <div class="composer-bar">
        <label class="model-picker">
          <span class="hidden">${t("model.label")}</span>
          <select value=${model} onChange=${event => choose(event.target.value)}>
            <${ModelOptions} models=${models.value} chosen=${model} />
          </select>
        </label>
        <span id="composer-problem" class="composer-problem" role="status">
          ${isTooLong && t("composer.too_long", {characters: characters.toLocaleString(language())})}
        </span>
        ${isReplying && html`<${IconButton} icon="stop" className="stop" label=${t("reply.stop")} onClick=${() => stop(id)} />`}
        <button class="send" aria-label=${t("composer.send")} title=${t("composer.send")} disabled=${!canSend}>
          <${Icon} name="send" />
        </button>
      </div>
    </form>`;
}
