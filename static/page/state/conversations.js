/** The messages of each opened chat, in the order of their completion. */

import {computed, effect, signal} from "../../vendor/signals.js";
import {giveBackFiles} from "./attachments.js";
import {chatOf, update} from "./chats.js";
import {on, quillium, whenListing} from "./client.js";
import {giveBack, unstored} from "./drafts.js";
import {announce, tellError} from "./notices.js";
import {chatId, isLocal, show} from "./route.js";
import {isAway, isSignedIn} from "./session.js";
import {isTypedHere} from "./typing.js";
import {inWords, t} from "./words.js";

const PAGE = 40;
const OLDER_PAGE = 100;
const TYPING_SHOWN_MS = 5_000;
const READ_ALOUD_CHARACTERS = 600;

class Conversation {
  messages = signal([]);
  isLoaded = signal(false);
  hasOlder = signal(false);
  error = signal(null); // why it could not be loaded; `load` tries again
  olderError = signal(null); // the same for the page before; `loadOlder` tries again
  isTyping = signal(false); // the user, on another device
  arrived = new Set(); // ids of messages that were told, not listed, and have not been drawn
  #id;
  #ready; // frames are applied after the messages are loaded
  #newest = null; // the last request for it
  #olderAsked = null;
  #typingTimer = 0;

  /** @param {{isNew: boolean}} options `isNew`: the chat has no messages, and nothing was missed */
  constructor(id, {isNew}) {
    this.#id = id;
    if (isNew) [this.isLoaded.value, this.#ready] = [true, Promise.resolve()];
    else this.load();
  }

  /** Settles when it is loaded, or could not be. */
  get ready() {
    return this.#ready;
  }

  load() {
    this.error.value = this.olderError.value = null;
    this.#ready = this.#load();
    this.#ready.catch(error => (this.error.value = error));
  }

  isReplying = computed(() => this.messages.value.at(-1)?.status === "streaming");

  async #load() {
    const page = this.#page(`limit=${PAGE}`);
    this.#newest = page;
    const {messages, hasOlder} = await page;
    if (this.#newest !== page) return this.#ready; // it was asked for again meanwhile
    this.messages.value = messages;
    this.hasOlder.value = hasOlder;
    this.isLoaded.value = true;
  }

  /** The newest messages that `query` allows, oldest first. */
  async #page(query) {
    const path = `/chats/${this.#id}/messages?order=desc&${query}`;
    const {data, pagination: {offset, total}} = await quillium.call("GET", path);
    return {messages: data.reverse(), hasOlder: data.length > 0 && offset + data.length < total};
  }

  /** The page before the first message that is shown. */
  loadOlder() {
    this.olderError.value = null;
    this.#olderAsked ??= this.#loadOlder().finally(() => (this.#olderAsked = null));
    return this.#olderAsked;
  }

  async #loadOlder() {
    const first = this.messages.value[0]?.id;
    const isFirst = () => this.messages.value[0]?.id === first; // else it was listed again meanwhile
    if (!this.hasOlder.value || !first) return;
    try {
      const {messages, hasOlder} = await this.#page(`limit=${OLDER_PAGE}&before=${first}`);
      if (!isFirst()) return this.#loadOlder();
      this.messages.value = [...messages, ...this.messages.value];
      this.hasOlder.value = hasOlder;
    } catch (error) {
      if (isFirst()) this.olderError.value = error;
    }
  }

  /**
   * A message stands at the end when it is told, but before a reply that is being written. A version of
   * an earlier message takes the place of what follows its parent.
   */
  take(message) {
    const shown = this.messages.value;
    const isKnown = shown.some(({id}) => id === message.id);
    if (!isKnown) this.arrived.add(message.id);
    const last = shown.findLast(({status}) => status !== "streaming");
    if (!isKnown && message.parent_id !== undefined && message.parent_id !== (last?.id ?? null)) {
      const parent = shown.findIndex(({id}) => id === message.parent_id);
      if (parent < 0 && (message.parent_id !== null || this.hasOlder.value)) return this.load();
      this.messages.value = shown.slice(0, parent + 1);
    }
    const others = this.messages.value.filter(({id}) => id !== message.id);
    const isBefore = message.status !== "streaming" && others.at(-1)?.status === "streaming";
    this.messages.value = isBefore
      ? [...others.slice(0, -1), message, others.at(-1)]
      : [...others, message];
  }

  /** List again if another version is shown now. @param {string | null} leaf id of the last message */
  follow(leaf) {
    if (leaf !== (this.messages.value.at(-1)?.id ?? null)) this.load();
  }

  /**
   * @param {string} text the reply's whole text so far
   * @param {string} reasoning what the model thought before, so far
   */
  takeReply(message_id, text, reasoning) {
    const {messages} = this;
    const last = messages.value.at(-1);
    if (last?.id === message_id) {
      const reply = {...last, content: text, reasoning, status: "streaming", error: undefined};
      messages.value = [...messages.value.slice(0, -1), reply];
    } else {
      this.take({
        id: message_id, chat_id: this.#id, content: text, reasoning, sender: "assistant", status: "streaming",
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
const missed = new Set(); // ids of chats with frames that arrived before the chat was opened
const places = new Map(); // by id of a chat that was begun here, its local id

/** Grows when conversations have to be asked for again. */
export const restarted = signal(0);

/** The message to land on in the chat that is shown: {chat, id, count}; `count` grows with each. */
export const landing = signal({chat: null, id: null, count: 0});

/** Show a chat at one of its messages. One that is not shown in the chat is selected first. */
export async function openAt(id, message_id) {
  const path = `/chats/${id}/messages`;
  try {
    await quillium.call("GET", `${path}?around=${message_id}&limit=1`);
  } catch (error) {
    if (error.code !== "not_found") return tellError(error);
    await quillium.call("POST", `${path}/${message_id}/select`, {}).catch(tellError);
  }
  landing.value = {chat: id, id: message_id, count: landing.value.count + 1};
  return show(id);
}

/** What stands for a chat on the screen: the same before and after the server gives it an id. */
export const placeOf = id => places.get(id) ?? id;

/** The conversation of a chat, loaded when it is first asked for. */
export function conversationOf(id) {
  if (!opened.has(id)) opened.set(id, new Conversation(id, {isNew: isLocal(id)}));
  return opened.get(id);
}

/** Frames of unopened chats are dropped: the chat is loaded when it is opened. */
function tell(id, what) {
  const conversation = opened.get(id);
  if (!conversation) missed.add(id);
  conversation?.ready.then(() => what(conversation), () => {}); // `error` says why it is not loaded
}

whenListing(async () => {
  opened.clear();
  restarted.value += 1;
  if (chatId.value) await conversationOf(chatId.value).ready.catch(() => {}); // it shows its error
});

on("status", status => {
  const conversation = opened.get(chatId.value);
  if (status === "online" && conversation?.error.value) conversation.load();
});

on("session", isIn => {
  if (!isIn) [opened, missed, places].forEach(kept => kept.clear());
});

on("created", ({local_id, chat}) => {
  places.set(chat.id, local_id);
  opened.delete(local_id);
  const isNew = chat.message_count === 0 && !missed.has(chat.id);
  if (isNew && !opened.has(chat.id)) opened.set(chat.id, new Conversation(chat.id, {isNew}));
});

// What the socket tells

on("message", message => tell(message.chat_id, conversation => conversation.take(message)));

on("message", message => {
  if (message.sender !== "assistant" || message.chat_id !== chatId.value) return;
  const words = message.content.slice(0, READ_ALOUD_CHARACTERS);
  announce(message.error ? inWords(message.error) : t("reply.announced", {words}));
});

on("reply", ({chat_id, message_id, text, reasoning}) =>
  tell(chat_id, conversation => conversation.takeReply(message_id, text, reasoning)));

on("typing", ({chat_id, sender, is_typing}) => {
  if (sender !== "user" || isTypedHere(chat_id)) return;
  tell(chat_id, conversation => conversation.takeTyping(is_typing));
});

on("chat", ({id, deleted, leaf_id}) => {
  if (deleted) opened.delete(id);
  else if (opened.has(id)) tell(id, conversation => conversation.follow(leaf_id));
});

// Messages on the screen of a focused tab count as read.

const isLookedAt = signal(!document.hidden);
document.addEventListener("visibilitychange", () => (isLookedAt.value = !document.hidden));

const isUnread = computed(() => chatOf(chatId.value)?.unread_count > 0);
effect(() => {
  if (isUnread.value && isLookedAt.value && !isAway.value) quillium.read(chatId.value);
});

// Sending

/** Messages that the server has not acknowledged, oldest first. */
export const outbox = signal(quillium.outbox);
on("outbox", waiting => (outbox.value = waiting));

effect(() => { // only while it is needed: such a listener keeps a page from being cached
  const isNeeded = outbox.value.length > 0 || unstored.value.size > 0;
  (isNeeded ? addEventListener : removeEventListener)("beforeunload", askBeforeLeaving);
});

function askBeforeLeaving(event) {
  event.preventDefault();
}

on("refused", ({chat_id, content, files, error}) => {
  const isGone = !chatOf(chat_id) || isLocal(chat_id);
  giveBack(isGone ? null : chat_id, content);
  giveBackFiles(isGone ? null : chat_id, files);
  if (isGone && chatId.value === chat_id) show(null, {isReplaced: true});
  tellError(error);
});

on("problem", tellError);

/** It is stored and sent once; see `outbox` for what waits, and `refused` for what can't be stored. */
export const say = (id, content, files) => void quillium.say(id, content, {files}).catch(() => {});

/** Begin a chat with its first message, with a model or a preset, and show it. It is created once there is a connection. */
export function begin(content, {model, system_prompt, parameters}, files) {
  const given = Object.entries({model, system_prompt, parameters}).filter(([, value]) => value);
  const chosen = Object.fromEntries(given);
  const {id, stored} = quillium.begin(content, chosen, {files});
  stored.catch(() => {}); // as in `say`
  show(id);
}

// Steering

const steer = verb => id => quillium.call("POST", `/chats/${id}/${verb}`, {}).catch(tellError);
export const stop = steer("stop");
export const regenerate = steer("regenerate");

/** Stop the reply that is being written, and wait for its end: until then the server changes nothing. */
async function stopped(id) {
  const {isReplying} = conversationOf(id);
  if (!isReplying.value) return;
  await quillium.call("POST", `/chats/${id}/stop`, {});
  await new Promise(resolve => {
    const end = effect(() => isReplying.value || queueMicrotask(() => (end(), resolve())));
  });
}

/** Send a new version of a message, with its files. */
export async function edit({chat_id, id, attachments = []}, content) {
  const body = {content, attachments, replaces: id, client_id: crypto.randomUUID?.()};
  await stopped(chat_id);
  await quillium.call("POST", `/chats/${chat_id}/messages`, body);
}

/** The id of the version of a message with this number. */
export async function versionOf({chat_id, id}, number) {
  const {data: [version]} = await quillium.call("GET", `/chats/${chat_id}/messages/${id}/versions?limit=1&offset=${number - 1}`);
  return version.id;
}

/** Show a version of a message. */
export const selectVersion = (chatId, id) => quillium.call("POST", `/chats/${chatId}/messages/${id}/select`, {});

/** Delete a message with all that follows it. */
export async function removeMessage({chat_id, id}) {
  await stopped(chat_id);
  await quillium.call("DELETE", `/chats/${chat_id}/messages/${id}`);
}

/** Choose who answers in a chat. */
export const choose = (id, model) => update(id, {model}).catch(tellError);

/** Let a preset's model answer from now on, with the preset's instructions. */
export const applyPreset = (id, {model, system_prompt, parameters}) =>
  update(id, {...(model && {model}), system_prompt, parameters}).catch(tellError);
