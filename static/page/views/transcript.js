/** The messages of a conversation: drawn near the view, followed at the end, loaded at the beginning. */

import {Failed} from "./failed.js";
import {html, useLayoutEffect, useRef} from "./html.js";
import {IconButton} from "./icons.js";
import {Reply, Said} from "./message.js";
import {MessageWindow} from "./message_window.js";
import {onPrinting} from "./printing.js";
import {Scrolling} from "./scrolling.js";
import {landing, outbox} from "../state/conversations.js";
import {keepReadingPlace, readingPlace} from "../state/reading.js";
import {t} from "../state/words.js";

const LOAD_AHEAD = 1_200; // pixels before the first message at which the page before it is loaded
const LANDING_OFFSET = 48; // pixels above a message that was opened
const MAX_PAGES_BACK = 60; // that are loaded to find the place where the user read before

/** @param {{id: string, conversation: object, controls: {current: object}}} props `controls.beginTurn` */
export function Transcript({id, conversation, controls}) {
  const view = useRef(null);
  if (!view.current) {
    view.current = new View();
    conversation.arrived.clear(); // what came before is shown at once
  }
  view.current.take(id, conversation);
  const {drawing, scrolling} = view.current;
  const messages = conversation.messages.value;
  const ids = messages.map(message => message.id);
  drawing.setIds(ids, readingPlace(id)?.id);
  const {from, to} = drawing.range.value;
  const waiting = outbox.value.filter(({chat_id}) => chat_id === id);
  const box = useRef(null);
  const list = useRef(null);
  controls.current = scrolling;

  useLayoutEffect(() => view.current.attach(box.current, list.current), []);
  useLayoutEffect(() => view.current.drawn());
  return html`
    <div class="transcript" ref=${box} onScroll=${scrolling.onScroll} onWheel=${scrolling.onWheel}
      onTouchStart=${scrolling.onTouchStart} onTouchMove=${scrolling.onTouchMove} onKeyDown=${scrolling.onKeyDown}
      tabindex="0" role="region" aria-label=${t("chat.messages")}>
      <div class="column">
        <${State} conversation=${conversation} />
        ${conversation.hasOlder.value && html`<${Older} conversation=${conversation} />`}
        <ol class="messages" ref=${list} style=${view.current.room()}>
          ${messages.slice(from, to).map((message, place) => message.sender === "user"
            ? html`<${Said} key=${message.id} message=${message} />`
            : html`<${Reply} key=${message.id} message=${message} isLast=${from + place === ids.length - 1}
              isNew=${conversation.arrived.has(message.id)} />`)}
          ${waiting.map(message => html`<${Said} key=${message.client_id} message=${message} isWaiting />`)}
        </ol>
      </div>
    </div>
    ${scrolling.isFollowing.value || html`
      <div class="to-end">
        <${IconButton} icon="down" label=${t("chat.to_end")} onClick=${() => view.current.toEnd()} />
      </div>`}`;
}

let landed = 0;

/** Where a message that was opened goes, once for each time. */
function landingPlace(id) {
  const {chat, id: message, count} = landing.peek();
  if (chat !== id || count === landed) return undefined;
  landed = count;
  return {id: message, offset: LANDING_OFFSET};
}

/** What one view of a conversation knows. */
class View {
  drawing = new MessageWindow();
  scrolling = new Scrolling({layOut: () => this.#layOut(), onMove: () => this.#moved()});
  #id;
  #conversation;
  #box = null;
  #list = null;
  #isRestoring = false;
  #isPrinting = false;

  /** They change when a chat that was begun here is created. */
  take(id, conversation) {
    [this.#id, this.#conversation] = [id, conversation];
  }

  attach(box, list) {
    [this.#box, this.#list] = [box, list];
    const place = landingPlace(this.#id) ?? readingPlace(this.#id);
    const detach = this.scrolling.attach(box, list, place);
    if (place) this.#restore(place);
    const keep = () => keepReadingPlace(this.#id, this.scrolling.place);
    addEventListener("pagehide", keep);
    const stopPrinting = onPrinting({
      load: () => this.#loadAll(),
      draw: () => {
        this.#isPrinting = true;
        this.drawing.showAll(this.#conversation.messages.peek().map(message => message.id));
      },
      end: () => {
        this.#isPrinting = false;
        this.scrolling.hold();
      },
    });
    return () => {
      stopPrinting();
      removeEventListener("pagehide", keep);
      detach();
      keep();
    };
  }

  /** Load what is needed to find the place where the user read before. */
  async #restore(place) {
    const {messages, hasOlder} = this.#conversation;
    this.#isRestoring = true;
    await this.#conversation.ready.catch(() => {}); // it shows its error
    const isThere = () => messages.peek().some(({id}) => id === place.id);
    for (let page = 0; !isThere() && hasOlder.peek() && page < MAX_PAGES_BACK; page++) {
      await this.#conversation.loadOlder();
      if (this.#conversation.olderError.peek()) break;
    }
    this.#isRestoring = false;
    if (!this.#box) return;
    if (!isThere()) this.toEnd();
    else {
      this.drawing.centre(place.id);
      this.scrolling.hold();
    }
  }

  /** After each drawing: measure what is there, and stay in place. */
  drawn() {
    this.#conversation.arrived.clear();
    this.scrolling.hold();
  }

  /** Measure what is drawn, and make room for what is not. */
  #layOut() {
    const gap = parseFloat(getComputedStyle(this.#list).rowGap) || 0;
    for (const element of this.#list.querySelectorAll(":scope > [data-id]")) {
      this.scrolling.observe(element);
      this.drawing.measure(element.dataset.id, element.getBoundingClientRect().height + gap);
    }
    for (const [name, value] of Object.entries(this.room())) this.#list.style.setProperty(name, value);
  }

  /** Style of the list: room for the messages that are not drawn. */
  room() {
    const {from, to} = this.drawing.range.peek();
    const {length} = this.#conversation.messages.peek();
    const pixels = (first, last) => `${this.drawing.height(first, last)}px`;
    return {"--above": pixels(0, from), "--below": pixels(to, length)};
  }

  #moved() {
    const {drawing, scrolling} = this;
    if (this.#isPrinting) return;
    if (scrolling.isFollowing.peek()) drawing.showEnd(scrolling.view);
    else drawing.show(scrolling.top, scrolling.view, this.#isSelecting());
    const {hasOlder, olderError, isLoaded} = this.#conversation;
    const isNear = drawing.range.peek().from === 0 && scrolling.top < LOAD_AHEAD;
    if (isNear && isLoaded.peek() && hasOlder.peek() && !olderError.peek() && !this.#isRestoring) {
      this.#conversation.loadOlder();
    }
  }

  async #loadAll() {
    let conversation;
    do {
      conversation = this.#conversation; // another one when everything is listed again
      await conversation.ready;
      await conversation.loadOlder();
      if (conversation.olderError.peek()) throw conversation.olderError.peek();
    } while (conversation.hasOlder.peek() || conversation !== this.#conversation);
  }

  #isSelecting() {
    const selection = getSelection();
    return !selection.isCollapsed && this.#list.contains(selection.anchorNode);
  }

  toEnd() {
    this.drawing.showEnd(this.scrolling.view);
    this.scrolling.toEnd();
  }
}

/** Whether the conversation is being loaded, or could not be. */
function State({conversation}) {
  const error = conversation.error.value;
  if (error) return html`<${Failed} error=${error} retry=${() => conversation.load()} />`;
  return conversation.isLoaded.value ? null : html`<p class="hint loading" role="status">${t("chat.loading")}</p>`;
}

/** At the beginning of what is loaded; usually the page before it is loaded before this is seen. */
function Older({conversation}) {
  const error = conversation.olderError.value;
  const load = () => conversation.loadOlder();
  return html`
    <div>
      ${error
        ? html`<${Failed} error=${error} retry=${load} />`
        : html`<button type="button" class="link more" onClick=${load}>${t("chat.older")}</button>`}
    </div>`;
}
