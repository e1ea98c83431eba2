/** A conversation: its messages, growing at the end and loaded at the beginning, and the composer. */

import {ChatMenu} from "./chat_menu.js";
import {Composer} from "./composer.js";
import {Failed} from "./failed.js";
import {html, useEffect, useLayoutEffect, useRef, useSignal} from "./html.js";
import {IconButton, Quill} from "./icons.js";
import {Reply, Said} from "./message.js";
import {chatOf} from "../state/chats.js";
import {begin, choose, conversationOf, outbox, restarted, say} from "../state/conversations.js";
import {models, user} from "../state/session.js";
import {t} from "../state/words.js";

const NEAR_END = 48; // pixels

/** @param {{id: string | null, before: any}} props `before`: what stands before the title */
export const Conversation = ({id, before}) =>
  (id ? html`<${Known} id=${id} before=${before} />` : html`<${New} before=${before} />`);

const Head = ({before, title, children}) => html`
  <header class="conversation-head">${before}<h1>${title}</h1>${children}</header>`;

function Known({id, before}) {
  restarted.value; // asks for the conversation again
  const conversation = conversationOf(id);
  const chat = chatOf(id);
  const scroll = useRef(() => {});
  return html`
    <${Head} before=${before} title=${chat?.title ?? ""}>${chat && !chat.isPending && html`<${ChatMenu} chat=${chat} />`}<//>
    <${Transcript} key=${restarted.value} id=${id} conversation=${conversation} scroll=${scroll} />
    <div class="column">
      <p class="elsewhere" role="status">${conversation.isTyping.value && t("message.typing_elsewhere")}</p>
      <${Composer} id=${id} model=${chat?.model ?? standardModel()} choose=${chat?.isPending ? null : model => choose(id, model)}
        send=${content => { scroll.current(); say(id, content); }} isReplying=${conversation.isReplying.value} />
    </div>`;
}

function Transcript({id, conversation, scroll}) {
  const box = useRef(null);
  const before = useRef({});
  const isAtEnd = useSignal(true);
  const messages = conversation.messages.value;
  const waiting = outbox.value.filter(({chat_id}) => chat_id === id);
  const first = messages[0]?.id;

  const toEnd = () => {
    isAtEnd.value = true;
    box.current.scrollTop = box.current.scrollHeight;
  };
  scroll.current = () => (isAtEnd.value = true);

  useLayoutEffect(() => { // older messages push nothing away from under the eyes
    const {scrollHeight} = box.current;
    const wasPutBefore = before.current.first && first !== before.current.first && !isAtEnd.value;
    if (isAtEnd.value) toEnd();
    else if (wasPutBefore) box.current.scrollTop += scrollHeight - before.current.scrollHeight;
    before.current = {first, scrollHeight};
  });
  useLayoutEffect(() => { // the composer grows, the window shrinks, a picture of code gets its colours
    const observer = new ResizeObserver(() => isAtEnd.value && toEnd());
    observer.observe(box.current);
    observer.observe(box.current.firstElementChild);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const {clientHeight, scrollHeight, scrollTop} = box.current;
    isAtEnd.value = scrollHeight - scrollTop - clientHeight < NEAR_END;
  };
  return html`
    <div class="transcript" ref=${box} onScroll=${onScroll} tabindex="0" role="region" aria-label=${t("chat.messages")}>
      <div class="column">
        <${State} conversation=${conversation} />
        ${conversation.hasOlder.value && html`<${Older} key=${first} box=${box} conversation=${conversation} />`}
        <ol class="messages">
          ${messages.map((message, place) => message.sender === "user"
            ? html`<${Said} key=${message.id} message=${message} />`
            : html`<${Reply} key=${message.id} message=${message} isLast=${place === messages.length - 1} />`)}
          ${waiting.map(message => html`<${Said} key=${message.client_id} message=${message} isWaiting />`)}
        </ol>
      </div>
    </div>
    ${isAtEnd.value || html`
      <div class="to-end"><${IconButton} icon="down" label=${t("chat.to_end")} onClick=${toEnd} /></div>`}`;
}

/** Whether the conversation is being loaded, or could not be. */
function State({conversation}) {
  const error = conversation.error.value;
  if (error) return html`<${Failed} error=${error} retry=${() => conversation.load()} />`;
  return conversation.isLoaded.value ? null : html`<p class="hint loading" role="status">${t("chat.loading")}</p>`;
}

/** At the beginning of what is shown: shortly before it is seen, the page before it is loaded. */
function Older({box, conversation}) {
  const place = useRef(null);
  const load = () => conversation.loadOlder();
  const error = conversation.olderError.value;
  useEffect(() => {
    const observer = new IntersectionObserver(([seen]) => seen.isIntersecting && load(),
      {root: box.current, rootMargin: "600px 0px 0px"});
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return html`
    <div ref=${place}>
      ${error
        ? html`<${Failed} error=${error} retry=${load} />`
        : html`<button type="button" class="link more" onClick=${load}>${t("chat.older")}</button>`}
    </div>`;
}

const standardModel = () => models.value.find(({is_default}) => is_default)?.id;

/** No chat yet: an invitation to begin one. */
function New({before}) {
  const model = useSignal(undefined);
  const answers = model.value ?? standardModel();
  const start = content => begin(content, model.value);
  return html`
    <${Head} before=${before} title=${t("chats.new")} />
    <div class="transcript">
      <${Welcome} suggestions=${answers === "quillium-demo" ? "demo" : "model"} start=${start} />
    </div>
    <div class="column">
      <${Composer} id=${null} model=${answers} choose=${chosen => (model.value = chosen)} send=${start} isReplying=${false} />
    </div>`;
}

const Welcome = ({suggestions, start}) => html`
  <div class="column welcome">
    <${Quill} />
    <p class="welcome-title">${user.value && t("welcome.title", {name: user.value.name})}</p>
    <p class="lead">${t("welcome.lead")}</p>
    <ul class="suggestions">${[1, 2, 3].map(number => {
      const text = t(`welcome.${suggestions}.${number}`);
      return html`<li><button type="button" onClick=${() => start(text)}>${text}</button></li>`;
    })}</ul>
  </div>`;
