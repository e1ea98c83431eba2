/** The messages of each chat that was opened, in the order in which they were said to the end. */

import {computed, effect, signal} from "../../vendor/signals.js";
import {chatOf, create, update} from "./chats.js";
import {on, quillium, whenListing} from "./client.js";
import {giveBack} from "./drafts.js";
import {announce, tellError} from "./notices.js";
import {chatId, show} from "./route.js";
import {isAway, isSignedIn} from "./session.js";
import {inWords, t} from "./words.js";

const PAGE = 40;
const TYPING_SHOWN_MS = 5_000;
const READ_ALOUD_CHARACTERS = 600;

class Conversation {
  messages = signal([]);
  isLoaded = signal(false);
  hasOlder = signal(false);
  isTyping = signal(false); // the user, on another device
  #id;
  #ready; // what is heard waits for what is loaded
  #olderAsked = null;
  #typingTimer = 0;

  constructor(id) {
    this.#id = id;
    this.#ready = this.#load();
    this.#ready.catch(() => opened.delete(id)); // the next one who asks tries again
  }

  get ready() {
    return this.#ready;
  }

  isReplying = computed(() => this.messages.value.at(-1)?.status === "streaming");

  async #load() {
    const {data, pagination} = await this.#page(0);
    this.messages.value = data.reverse();
    this.hasOlder.value = pagination.total > data.length;
    this.isLoaded.value = true;
  }

  #page(offset) {
    const path = `/chats/${this.#id}/messages?order=desc&limit=${PAGE}&offset=${offset}`;
    return quillium.call("GET", path);
  }

  /** The page before the first message that is shown. */
  loadOlder() {
    this.#olderAsked ??= this.#loadOlder().catch(tellError).finally(() => (this.#olderAsked = null));
    return this.#olderAsked;
  }

  async #loadOlder() {
    if (!this.hasOlder.value) return;
    const {data, pagination} = await this.#page(this.messages.value.length);
    const held = new Set(this.messages.value.map(({id}) => id));
    const older = data.reverse().filter(({id}) => !held.has(id));
    this.messages.value = [...older, ...this.messages.value];
    this.hasOlder.value = older.length > 0 && this.messages.value.length < pagination.total;
  }

  /** A message stands at the end when it is told, but before a reply that is being written. */
  take(message) {
    const others = this.messages.value.filter(({id}) => id !== message.id);
    const isBefore = message.status !== "streaming" && others.at(-1)?.status === "streaming";
    this.messages.value = isBefore
      ? [...others.slice(0, -1), message, others.at(-1)]
      : [...others, message];
  }

  /** @param {string} text all that the assistant has said so far */
  takeReply(message_id, text) {
    const {messages} = this;
    const last = messages.value.at(-1);
    if (last?.id === message_id) {
      const reply = {...last, content: text, status: "streaming", error: undefined};
      messages.value = [...messages.value.slice(0, -1), reply];
    } else {
      this.take({
        id: message_id, chat_id: this.#id, content: text, sender: "assistant", status: "streaming",
        timestamp: new Date().toISOString(), model: chatOf(this.#id)?.model,
      });
    }
  }

  takeTyping(isTyping) {
    clearTimeout(this.#typingTimer);
    this.isTyping.value = isTyping;
    if (isTyping) this.#typingTimer = setTimeout(() => this.takeTyping(false), TYPING_SHOWN_MS);
  }
}

const opened = new Map();

/** Grows when conversations have to be asked for again. */
export const restarted = signal(0);

/** The conversation of a chat, loaded when it is first asked for. */
export function conversationOf(id) {
  if (!opened.has(id)) opened.set(id, new Conversation(id));
  return opened.get(id);
}

/** What is heard of a chat that nobody opened is not kept: it is loaded when somebody does. */
function tell(id, what) {
  const conversation = opened.get(id);
  conversation?.ready.then(() => what(conversation), () => {});
}

/** What is shown is kept until it is loaded anew; the rest is loaded when it is opened again. */
whenListing(async () => {
  opened.clear();
  restarted.value += 1;
  if (chatId.value) await conversationOf(chatId.value).ready.catch(() => {});
});

on("status", status => {
  if (status === "online" && chatId.value && !opened.has(chatId.value)) restarted.value += 1;
});

on("session", isIn => {
  if (!isIn) opened.clear();
});

// What the socket tells

on("message", message => tell(message.chat_id, conversation => conversation.take(message)));

on("message", message => {
  if (message.sender !== "assistant" || message.chat_id !== chatId.value) return;
  const words = message.content.slice(0, READ_ALOUD_CHARACTERS);
  announce(message.error ? inWords(message.error) : t("reply.announced", {words}));
});

on("reply", ({chat_id, message_id, text}) =>
  tell(chat_id, conversation => conversation.takeReply(message_id, text)));

on("typing", ({chat_id, sender, is_typing}) => {
  if (sender === "user") tell(chat_id, conversation => conversation.takeTyping(is_typing));
});

on("chat", ({id, deleted}) => {
  if (deleted) opened.delete(id);
});

// What is on the screen of a tab that is looked at is read.

const isLookedAt = signal(!document.hidden);
document.addEventListener("visibilitychange", () => (isLookedAt.value = !document.hidden));

const isUnread = computed(() => chatOf(chatId.value)?.unread_count > 0);
effect(() => {
  if (isUnread.value && isLookedAt.value && !isAway.value) quillium.read(chatId.value);
});

// Saying

export const outbox = signal(quillium.outbox);
on("outbox", waiting => (outbox.value = waiting));

on("refused", ({chat_id, content, error}) => {
  giveBack(chatOf(chat_id) ? chat_id : null, content);
  returned.value += 1;
  if (isSignedIn.value) tellError(error);
});

/** Grows when something that was said is back in its draft. */
export const returned = signal(0);

on("problem", tellError);

export const say = (id, content) => void quillium.say(id, content).catch(() => {}); // see `refused`

/** The first message of a chat that can't be made yet: {content, model}, kept through reloads. */
export const beginning = signal(JSON.parse(sessionStorage.getItem("quillium-beginning") ?? "null"));
effect(() => sessionStorage.setItem("quillium-beginning", JSON.stringify(beginning.value)));

let isBeginning = false;

/** Make a chat, say something in it and show it. Without a line it waits for one. */
export async function begin(content, model) {
  if (isBeginning) return;
  isBeginning = true;
  beginning.value = {content, model};
  try {
    const chat = await create(model);
    beginning.value = null;
    say(chat.id, content);
    if (chatId.value === null) show(chat.id);
  } catch (error) {
    if (error.code === "offline") return;
    beginning.value = null;
    giveBack(null, content);
    returned.value += 1;
    if (isSignedIn.value) tellError(error);
  } finally {
    isBeginning = false;
  }
}

on("status", status => {
  if (status === "online" && beginning.value) begin(beginning.value.content, beginning.value.model);
});

// Steering

const steer = verb => id => quillium.call("POST", `/chats/${id}/${verb}`, {}).catch(tellError);
export const stop = steer("stop");
export const regenerate = steer("regenerate");

/** Choose who answers in a chat. */
export const choose = (id, model) => update(id, {model}).catch(tellError);
