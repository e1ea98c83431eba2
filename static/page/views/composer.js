/** The message composer: grows with its text, keeps drafts, and sends on Enter. */

import {ChosenFiles} from "./attachments.js";
import {useCompletions} from "./completions.js";
import {html, useEffect, useLayoutEffect, useRef, useSignal} from "./html.js";
import {Icon, IconButton} from "./icons.js";
import {endGlide} from "./glide.js";
import {isComposing, keysOf} from "./keys.js";
import {isNarrow} from "./layout.js";
import {Options} from "./options.js";
import {attach, filesOf, takeFiles} from "../state/attachments.js";
import {stop} from "../state/conversations.js";
import {draftOf, keepDraft} from "../state/drafts.js";
import {typing} from "../state/typing.js";
import {language, t} from "../state/words.js";

const MAX_CHARACTERS = 100_000;
const finePointer = matchMedia("(pointer: fine)"); // else there is a keyboard on the screen, or none

let hadFocus = false; // whether the composer that was removed last had the focus

/** Focus a composer: always with a keyboard, and on a touch screen if it replaces one that had the focus. */
function keepFocus(textarea) {
  if (finePointer.matches || hadFocus) textarea.focus();
  hadFocus = false;
  return () => (hadFocus = document.activeElement === textarea);
}

/**
 * @param {object} props
 * @param {string | null} props.id of the chat; null for a new one
 * @param {boolean} props.hasCommands whether the model knows commands such as `/help`
 * @param {(content: string) => void} props.send
 * @param {(preset: object) => void} props.choosePreset
 * @param {boolean} props.isReplying
 */
export function Composer({id, hasCommands, send, choosePreset, isReplying}) {
  const text = draftOf(id);
  const place = useRef(null);
  useLayoutEffect(() => keepFocus(place.current), []); // before any further key
  useLayoutEffect(() => {
    place.current.style.height = "auto";
    place.current.style.height = `${place.current.scrollHeight}px`;
  }, [text]);
  useLayoutEffect(() => endGlide(place.current.form), []);

  const characters = text.length > MAX_CHARACTERS ? [...text].length : 0;
  const isTooLong = characters > MAX_CHARACTERS;
  const canSend = (text.trim() !== "" || filesOf(id).length > 0) && !isTooLong;
  const [picker, isDropping] = [useRef(null), useSignal(false)];
  useEffect(() => onDroppedFiles(isDropping, files => attach(id, files)), [id]);

  function write(value) {
    keepDraft(id, value);
    typing(id);
  }
  const completions = useCompletions({text, hasCommands, write, choosePreset});
  function submit(event) {
    event.preventDefault();
    place.current.focus();
    const draft = draftOf(id); // newer than what is drawn, if somebody types fast
    const content = draft.trim() ? draft : filesOf(id).map(({name}) => name).join(", ");
    if (!content || [...content].length > MAX_CHARACTERS) return;
    keepDraft(id, "");
    typing(id, false);
    send(content, takeFiles(id));
  }
  function paste(event) {
    const {files} = event.clipboardData;
    if (!files.length || event.clipboardData.types.includes("text/plain")) return; // of a word processor
    event.preventDefault();
    attach(id, [...files]);
  }
  function pick({target}) {
    attach(id, [...target.files]);
    target.value = ""; // so that the same file can be chosen again
    place.current.focus();
  }
  function press(event) {
    if (!isComposing(event) && completions.press(event)) return;
    if (event.key !== "Enter" || isComposing(event) || event.shiftKey || event.altKey) return;
    const isCommand = event.ctrlKey || event.metaKey;
    if (finePointer.matches || isCommand) submit(event); // on a screen's keyboard Enter begins a line
  }
  return html`
    <form class="composer ${isDropping.value ? "is-dropping" : ""}" onSubmit=${submit}>
      ${completions.options.length > 0 && html`<${Options} ...${completions} label=${t("composer.commands")} />`}
      <${ChosenFiles} id=${id} />
      <input ref=${picker} type="file" multiple hidden onChange=${pick} />
      <${IconButton} icon="attach" label=${t("attach.label")} onClick=${() => picker.current.click()} />
      <textarea ref=${place} id="composer" rows="1" value=${text} aria-label=${t("composer.label")}
        placeholder=${t(hasCommands && !isNarrow.value ? "composer.placeholder_commands" : "composer.placeholder")}
        ...${completions.field} onInput=${event => { write(event.target.value); completions.first(); }} onKeyDown=${press} onPaste=${paste}
        enterkeyhint=${finePointer.matches ? "send" : "enter"} aria-describedby="composer-problem" />
      ${isReplying && !canSend
        ? html`<${IconButton} key="stop" icon="stop" className="stop" label=${t("reply.stop")} keys=${keysOf("stop")} onClick=${() => stop(id)} />`
        : html`
          <button key="send" class="send" aria-label=${t("composer.send")} title=${`${t("composer.send")} (${keysOf("send")})`} disabled=${!canSend}>
            <${Icon} name="send" />
          </button>`}
      <span id="composer-problem" class="composer-problem" role="status">
        ${isTooLong && t("composer.too_long", {characters: characters.toLocaleString(language())})}
      </span>
    </form>`;
}

/**
 * Take files that are dropped anywhere on the page, where the browser would open them.
 *
 * @param {{value: boolean}} isDropping whether files are held over the page
 */
function onDroppedFiles(isDropping, take) {
  const listeners = new AbortController();
  const on = (type, hear) => addEventListener(type, event => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    hear(event);
  }, {signal: listeners.signal});
  on("dragover", () => (isDropping.value = true));
  on("dragleave", ({relatedTarget}) => (isDropping.value = relatedTarget !== null));
  on("drop", ({dataTransfer}) => {
    isDropping.value = false;
    take([...dataTransfer.files]);
  });
  return () => listeners.abort();
}
