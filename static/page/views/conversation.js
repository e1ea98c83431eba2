/** A conversation: its messages, growing at the end and loaded at the beginning, and the composer. */

import {ChatMenu} from "./chat_menu.js";
import {Composer} from "./composer.js";
import {dialog} from "./dialog.js";
import {beginGlide} from "./glide.js";
import {html, useRef, useSignal} from "./html.js";
import {IconButton, Mark} from "./icons.js";
import {ModelPicker} from "./model_picker.js";
import {Transcript} from "./transcript.js";
import {brand, isHidden} from "../state/brand.js";
import {chatOf} from "../state/chats.js";
import {applyPreset, begin, choose, conversationOf, landing, restarted, say} from "../state/conversations.js";
import {presets} from "../state/presets.js";
import {models, user} from "../state/session.js";
import {filled, t} from "../state/words.js";

/** @param {{id: string | null, before: any}} props `before`: what stands before the title */
export const Conversation = ({id, before}) =>
  (id ? html`<${Known} id=${id} before=${before} />` : html`<${New} before=${before} />`);

const Head = ({before, title, children}) => html`
  <header class="conversation-head">${before}<h1>${title}</h1>${children}</header>`;

const RenameButton = ({chat}) => html`
  <button type="button" class="title" title=${t("chat.rename")} onClick=${() => (dialog.value = {name: "rename", chat})}>
    ${chat.title}
  </button>`;

const InstructionsButton = ({chat}) => html`
  <${IconButton} icon="settings" label=${t("instructions.title")} className="instructions"
    onClick=${() => (dialog.value = {name: "instructions", chat})} />`;

function Known({id, before}) {
  restarted.value; // asks for the conversation again
  const conversation = conversationOf(id);
  const chat = chatOf(id);
  const scrolling = useRef(null);
  const model = chat?.model ?? standardModel();
  const isStored = chat && !chat.isPending;
  return html`
    <${Head} before=${before} title=${isStored ? html`<${RenameButton} chat=${chat} />` : chat?.title ?? ""}>
      <${ModelPicker} model=${model} choose=${chat?.isPending ? null : chosen => choose(id, chosen)} />
      ${isStored && html`<${InstructionsButton} chat=${chat} /><${ChatMenu} chat=${chat} />`}
    <//>
    <${Transcript} key=${`${restarted.value}/${landing.value.chat === id ? landing.value.count : 0}`} id=${id} conversation=${conversation} controls=${scrolling} />
    <div class="column">
      <p class="elsewhere" role="status">${conversation.isTyping.value && t("message.typing_elsewhere")}</p>
      <${Composer} id=${id} hasCommands=${model === COMMANDER}
        send=${(content, files) => { say(id, content, files); scrolling.current.beginTurn(); }}
        choosePreset=${isStored ? preset => applyPreset(id, preset) : null} isReplying=${conversation.isReplying.value} />
    </div>`;
}

const COMMANDER = "quillium-demo"; // the model that knows commands
const standardModel = () => models.value.find(({is_default}) => is_default)?.id;

/** No chat yet: an invitation to begin one. */
function New({before}) {
  const model = useSignal(undefined);
  const preset = presets.value.find(({value}) => value === model.value);
  const answers = preset?.model ?? (preset ? standardModel() : model.value ?? standardModel());
  const start = (content, files) => {
    beginGlide();
    return begin(content, preset ?? {model: model.value}, files);
  };
  const isDemo = answers === COMMANDER;
  return html`
    <${Head} before=${before} title=${t("chats.new")}>
      <${ModelPicker} model=${preset?.value ?? answers} choices=${presets.value} choose=${chosen => (model.value = chosen)} />
    <//>
    <div class="transcript">
      <div class="column welcome">
        <${Mark} />
        <p class="welcome-title" dir="auto">${user.value && greeting(user.value)}</p>
        <${Composer} id=${null} hasCommands=${isDemo} send=${start} choosePreset=${chosen => (model.value = chosen.value)} isReplying=${false} />
        ${isHidden("suggestions") || html`<${Suggestions} kind=${isDemo ? "demo" : "model"} start=${start} />`}
      </div>
    </div>`;
}

const greeting = ({name}) => (brand.welcome ? filled(brand.welcome, {name}) : t("welcome.title", {name}));

const Suggestions = ({kind, start}) => html`
  <ul class="suggestions">${[1, 2, 3].map(number => {
    const text = t(`welcome.${kind}.${number}`);
    return html`<li><button type="button" onClick=${() => start(text)}>${text}</button></li>`;
  })}</ul>`;
