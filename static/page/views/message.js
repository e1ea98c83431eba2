/** One message, with what can be done about it. */

import {AttachedFiles} from "./attachments.js";
import {html, useRef, useSignal} from "./html.js";
import {Icon} from "./icons.js";
import {copyText, plainText} from "./clipboard.js";
import {Markdown} from "./markdown.js";
import {Menu} from "./menu.js";
import {DeleteButton, EditButton, Editor, Versions} from "./message_actions.js";
import {Outline} from "./outline.js";
import {usePace} from "./pace.js";
import {uploaded} from "../state/attachments.js";
import {regenerate} from "../state/conversations.js";
import {draftOf, keepDraft} from "../state/drafts.js";
import {canSpeak, hush, speak, spoken} from "../state/speaking.js";
import {fullTime, inWords, shortTime, t} from "../state/words.js";

const Time = ({at}) => html`<time datetime=${at} title=${fullTime(at)}>${shortTime(at)}</time>`;

/** Chromium's time to wrap a kerned word grows with its square: 5 s for 100,000 letters. */
const LONG_WORD = /\S{1000}/;
const messageClass = (kind, ...texts) =>
  `message ${kind}${texts.some(text => LONG_WORD.test(text)) ? " has-long-word" : ""}`;

/** What the user said; `isWaiting` until the server has it. */
export function Said({message, isWaiting = false}) {
  const isEditing = useSignal(false);
  const copied = useRef(null);
  if (isEditing.value) {
    return html`
      <li class="message said is-edited" data-id=${message.id}>
        <h2 class="hidden">${t("message.you")}</h2>
        <${Editor} message=${message} close=${() => (isEditing.value = false)} />
      </li>`;
  }
  return html`
    <li class=${messageClass(isWaiting ? "said is-waiting" : "said", message.content)} data-id=${message.id}>
      <h2 class="hidden">${t("message.you")}</h2>
      <${Files} files=${isWaiting ? message.files : message.attachments} />
      <p class="words">${message.content}</p>
      <p class="about">
        ${isWaiting ? t(...waitingWords(message)) : html`
          <${Time} at=${message.timestamp} />
          <${Versions} message=${message} />
          <${EditButton} onClick=${() => (isEditing.value = true)} />
          <${DeleteButton} message=${message} />
          <${More} message=${message} copied=${copied} />
          <span ref=${copied} class="hidden" role="status" />`}
      </p>
    </li>`;
}

/** An older server sends no attachments. */
const Files = ({files = []}) => files.length > 0 && html`<${AttachedFiles} files=${files} />`;

function waitingWords({client_id}) {
  const {client_id: uploading, share} = uploaded.value;
  return client_id === uploading ? ["message.uploading", {percent: Math.round(100 * share)}] : ["message.waiting"];
}

/**
 * The assistant's.
 *
 * @param {object} props
 * @param {boolean} props.isLast only the last one can be replaced
 * @param {boolean} props.isNew whether it came while the conversation was shown
 */
export function Reply({message, isLast, isNew}) {
  const {id, chat_id, content, reasoning, status, model, timestamp, usage} = message;
  const copy = useRef(null);
  const shown = usePace(content, isNew);
  const isStreaming = status === "streaming" || shown.length < content.length;
  const canRetry = isLast && !isStreaming;
  return html`
    <li class=${messageClass("reply", shown, reasoning)} aria-busy=${isStreaming} data-id=${id}>
      <h2 class="hidden">${t("message.assistant")}</h2>
      ${reasoning && html`
        <details class="reasoning">
          <summary>${t("reply.reasoning")}</summary>
          <p class="words">${reasoning}</p>
        </details>`}
      ${isStreaming || html`<${Outline} text=${content} />`}
      <${Markdown} text=${shown} isOpen=${isStreaming} />
      ${isStreaming && html`<p class="writing"><span class="hidden">${t("reply.streaming")}</span></p>`}
      ${isStreaming || html`<${Problem} message=${message} />`}
      ${isStreaming || html`
        <p class="about">
          <${Time} at=${timestamp} /> <span class="model" title=${usage && tokens(usage)}>${model}</span>
          ${content && html`
            <button type="button" class="quiet" onClick=${() => copyText(content, copy.current)}>
              <${Icon} name="copy" /> <span ref=${copy}>${t("action.copy")}</span>
            </button>`}
          ${canRetry && html`
            <button type="button" class="quiet" onClick=${() => regenerate(chat_id)}>
              <${Icon} name="redo" /> ${t(status === "complete" ? "reply.regenerate" : "reply.retry")}
            </button>`}
          <${Versions} message=${message} />
          <${DeleteButton} message=${message} />
          ${content && html`<${More} message=${message} copied=${copy} />`}
        </p>`}
    </li>`;
}

/** What else can be done with a text. `copied` is a reference to the element that says so. */
function More({message: {id, chat_id, content, sender}, copied}) {
  const place = useRef(null);
  const words = () => place.current.closest(".message").querySelector(".prose, .said > .words");
  const isReply = sender === "assistant";
  const reading = spoken.value === id
    ? {icon: "stop", label: t("message.read_stop"), act: hush}
    : {icon: "speaker", label: t("message.read"), act: () => speak(id, plainText(words()))};
  return html`
    <span ref=${place}>
      <${Menu} label=${t("message.more")} button=${{className: "quiet", "aria-label": t("message.more"), title: t("message.more")}}
        items=${[
          !isReply && {icon: "copy", label: t("action.copy"), act: () => copyText(content, copied.current)},
          isReply && {icon: "copy", label: t("message.copy_text"), act: () => copyText(plainText(words()), copied.current)},
          {icon: "quote", label: t("message.quote"), act: () => quote(chat_id, selectedIn(words()) || content)},
          canSpeak && reading,
        ]}><${Icon} name="more" /><//>
    </span>`;
}

/** Put a text into the composer, as Markdown quotes it, after what is there. */
function quote(chatId, text) {
  const draft = draftOf(chatId);
  const quoted = text.trim().replaceAll(/^/gm, "> ");
  keepDraft(chatId, `${draft}${draft && "\n\n"}${quoted}\n\n`);
  document.getElementById("composer").focus();
}

/** The text that is selected within an element; empty if none is. */
function selectedIn(element) {
  const selection = getSelection();
  return !selection.isCollapsed && element.contains(selection.anchorNode) && element.contains(selection.focusNode)
    ? selection.toString() : "";
}

const tokens = ({prompt_tokens: prompt, completion_tokens: completion}) =>
  t("reply.usage", {prompt, completion});

const UNUSUAL_ENDS = {length: "reply.cut_off", content_filter: "reply.filtered", tool_calls: "reply.tool_calls"};

/** Why a reply is not whole. */
function Problem({message: {status, error, finish_reason: reason}}) {
  if (status === "complete" && reason in UNUSUAL_ENDS) {
    return html`<p class="problem"><${Icon} name="alert" /> ${t(UNUSUAL_ENDS[reason])}</p>`;
  }
  if (status === "stopped") return html`<p class="problem">${t("reply.stopped")}</p>`;
  if (status === "interrupted") return html`<p class="problem"><${Icon} name="alert" /> ${t("reply.interrupted")}</p>`;
  if (status !== "failed") return null;
  return html`<p class="problem is-error"><${Icon} name="alert" /> ${inWords(error)}</p>`;
}
