/** A conversation: its messages, growing at the end and loaded at the beginning, and the composer. */

import {ChatMenu} from "./chat_menu.js";
import {Composer} from "./composer.js";
import {html, useRef, useSignal} from "./html.js";
import {Mark} from "./icons.js";
import {Transcript} from "./transcript.js";
import {brand, isHidden} from "../state/brand.js";
import {chatOf} from "../state/chats.js";
import {begin, choose, conversationOf, landing, restarted, say} from "../state/conversations.js";
import {presets} from "../state/presets.js";
import {models, user} from "../state/session.js";
import {filled, t} from "../state/words.js";

/** @param {{id: string | null, before: any}} props `before`: what stands before the title */
export const Conversation = ({id, before}) =>
  (id ? html`<${Known} id=${id} before=${before} />` : html`<${New} before=${before} />`);

const Head = ({before, title, children}) => html`
  <header class="conversation-head">${before}<h1>${title}</h1>${children}</header>`;

function Known({id, before}) {
  restarted.value; // asks for the conversation again
  const conversation = conversationOf(id);
  const chat = chatOf(id);
  const scrolling = useRef(null);
  return html`
    <${Head} before=${before} title=${chat?.title ?? ""}>${chat && !chat.isPending && html`<${ChatMenu} chat=${chat} />`}<//>
    <${Transcript} key=${`${restarted.value}/${landing.value.chat === id ? landing.value.count : 0}`} id=${id} conversation=${conversation} controls=${scrolling} />
    <div class="column">
      <p class="elsewhere" role="status">${conversation.isTyping.value && t("message.typing_elsewhere")}</p>
      <${Composer} id=${id} model=${chat?.model ?? standardModel()} choose=${chat?.isPending ? null : model => choose(id, model)}
        send=${(content, files) => { say(id, content, files); scrolling.current.beginTurn(); }} isReplying=${conversation.isReplying.value} />
    </div>`;
}

const standardModel = () => models.value.find(({is_default}) => is_default)?.id;

/** No chat yet: an invitation to begin one. */
function New({before}) {
  const model = useSignal(undefined);
  const preset = presets.value.find(({value}) => value === model.value);
  const answers = preset?.model ?? (preset ? standardModel() : model.value ?? standardModel());
  const start = (content, files) => begin(content, preset ?? {model: model.value}, files);
  return html`
    <${Head} before=${before} title=${t("chats.new")} />
    <div class="transcript">
      <${Welcome} suggestions=${answers === "quillium-demo" ? "demo" : "model"} start=${start} />
    </div>
    <div class="column">
      <${Composer} id=${null} model=${preset?.value ?? answers} choices=${presets.value} choose=${chosen => (model.value = chosen)} send=${start} isReplying=${false} />
    </div>`;
}

const greeting = ({name}) => (brand.welcome ? filled(brand.welcome, {name}) : t("welcome.title", {name}));

const Welcome = ({suggestions, start}) => html`
  <div class="column welcome">
    <${Mark} />
    <p class="welcome-title" dir="auto">${user.value && greeting(user.value)}</p>
    ${isHidden("suggestions") || html`<p class="lead">${t("welcome.lead")}</p>
    <ul class="suggestions">${[1, 2, 3].map(number => {
      const text = t(`welcome.${suggestions}.${number}`);
      return html`<li><button type="button" onClick=${() => start(text)}>${text}</button></li>`;
    })}</ul>`}
  </div>`;
