/** The user's chats: listed in pages, searched, and kept in step by the socket. */

import {batch, computed, effect, signal} from "../../vendor/signals.js";
import {on, quillium, whenListing} from "./client.js";
import {keepDraft} from "./drafts.js";
import {notify, tellError} from "./notices.js";
import {chatId, isLocal, show} from "./route.js";
import {isSignedIn} from "./session.js";
import {t} from "./words.js";

const PAGE = 50;
const TYPING_PAUSE_MS = 200; // a search begins when the user pauses
const MAX_TITLE = 80; // characters of a chat that is not created yet

const known = signal(new Map()); // by id, as last heard
const listed = signal(new Set()); // ids in the pages that were loaded, or that came since
const hidden = signal(new Set()); // ids of those that go when their notice does
const total = signal(0);
const found = signal(null); // what a search found: {ids, total}; null without a search
const begun = signal([]); // chats that the server does not have yet

export const isLoaded = signal(false);
export const query = signal("");
/** Whether what is shown is what was found for `query`. */
export const isSearching = signal(false);
export const searchError = signal(null); // why the search failed; `retrySearch` repeats it
export const moreError = signal(null); // why the next page could not be loaded

/** The chat with an id, as far as it is known. */
export const chatOf = id => known.value.get(id) ?? begun.value.find(chat => chat.id === id);

export const shownChats = computed(() => {
  const ids = found.value?.ids ?? [...listed.value];
  const chats = ids.filter(id => known.value.has(id) && !hidden.value.has(id)).map(chatOf);
  if (found.value !== null) return chats;
  return [...chats, ...begun.value].sort((one, other) => (one.updated_at < other.updated_at ? 1 : -1));
});

export const hasMore = computed(() => found.value !== null
  ? found.value.ids.length < found.value.total
  : listed.value.size < total.value);

export const unreadCount = computed(() =>
  [...known.value.values()].filter(({id}) => !hidden.value.has(id))
    .reduce((sum, chat) => sum + chat.unread_count, 0));

// Listing

async function load(offset, searched) {
  const search = searched ? `&q=${encodeURIComponent(searched)}` : "";
  return quillium.call("GET", `/chats?limit=${PAGE}&offset=${offset}${search}`);
}

function learn(chats) {
  const all = new Map(known.value);
  for (const chat of chats) all.set(chat.id, chat);
  known.value = all;
}

whenListing(async () => {
  const {data, pagination} = await load(0);
  batch(() => {
    known.value = new Map();
    learn(data);
    listed.value = new Set(data.map(({id}) => id));
    total.value = pagination.total;
    isLoaded.value = true;
  });
  if (query.value) retrySearch();
  if (chatId.value && !isLocal(chatId.value)) await find(chatId.value);
});

let isLoadingMore = false;

/** The next page of what is shown. */
export async function loadMore() {
  if (isLoadingMore || !hasMore.value) return;
  isLoadingMore = true;
  moreError.value = null;
  try {
    const searched = found.value && query.value;
    const {data, pagination} = await load(found.value?.ids.length ?? listed.value.size, searched);
    const ids = data.map(({id}) => id);
    if (searched && searched !== query.value) return; // another search began meanwhile
    batch(() => {
      learn(data);
      if (searched) {
        found.value = {ids: [...new Set([...found.value.ids, ...ids])], total: pagination.total};
      } else {
        listed.value = new Set([...listed.value, ...ids]);
        total.value = ids.length ? pagination.total : listed.value.size;
      }
    });
  } catch (error) {
    moreError.value = error;
  } finally {
    isLoadingMore = false;
  }
}

async function search() {
  const searched = query.value;
  searchError.value = null;
  const {data, pagination} = await load(0, searched);
  if (searched !== query.value) return;
  batch(() => {
    learn(data);
    found.value = {ids: data.map(({id}) => id), total: pagination.total};
    isSearching.value = false;
  });
}

export function retrySearch() {
  const searched = query.value;
  search().catch(error => {
    if (searched === query.value) [searchError.value, isSearching.value] = [error, false];
  });
}

let searchTimer = 0;
effect(() => {
  const searched = query.value.trim();
  clearTimeout(searchTimer);
  isSearching.value = searched !== "";
  if (searched) searchTimer = setTimeout(retrySearch, TYPING_PAUSE_MS);
  else [found.value, searchError.value] = [null, null];
});

/** Ask for a chat that may lie in no page that was loaded. One that is gone is left. */
async function find(id) {
  if (known.value.has(id)) return;
  try {
    learn([await quillium.call("GET", `/chats/${id}`)]);
    listed.value = new Set([...listed.value, id]);
  } catch (error) {
    if (error.code !== "not_found") throw error;
    notify(t("chat.gone"));
    if (chatId.value === id) show(null, {isReplaced: true});
  }
}

effect(() => {
  const id = chatId.value;
  if (!id || !isLoaded.value || !isSignedIn.value) return;
  if (isLocal(id)) findLocal(id);
  else find(id).catch(tellError);
});

/** A chat that was begun here: it may have got its id in another tab or before a reload. */
async function findLocal(id) {
  await quillium.persisted();
  const created = quillium.chatId(id);
  if (chatId.value !== id || quillium.newChats.some(chat => chat.id === id)) return;
  show(created === id ? null : created, {isReplaced: true});
}

// What was begun

on("outbox", messages => {
  const titleOf = id => messages.find(({chat_id}) => chat_id === id)?.content ?? "";
  begun.value = quillium.newChats.map(({id, model, timestamp}) => ({
    id, model, title: titleOf(id).slice(0, MAX_TITLE), updated_at: timestamp, unread_count: 0, isPending: true,
  }));
});

on("created", ({local_id, chat}) => batch(() => {
  add(chat);
  if (chatId.value === local_id) show(chat.id, {isReplaced: true});
}));

// What the socket tells

on("chat", chat => (chat.deleted ? forget(chat.id) : add(chat)));

on("message", message => change(message.chat_id, chat => ({
  last_message: chat.last_message?.timestamp > message.timestamp ? chat.last_message : message,
  updated_at: message.timestamp > chat.updated_at ? message.timestamp : chat.updated_at,
  unread_count: chat.unread_count + (isCounted(chat, message) ? 0 : 1),
})));

/** Whether a message counts as unread already, or never does: it may have been listed before it is told. */
function isCounted({last_message: last}, {id, sender, timestamp}) {
  if (sender !== "assistant") return true;
  if (!last) return false;
  return last.id === id ? last.status !== "streaming" : last.timestamp > timestamp;
}

on("read", ({chat_id, sender, unread_count}) => {
  if (sender === "user") change(chat_id, () => ({unread_count}));
});

on("session", isIn => {
  if (isIn) return;
  batch(() => {
    [known.value, listed.value, hidden.value] = [new Map(), new Set(), new Set()];
    [found.value, query.value, isLoaded.value] = [null, "", false];
    [searchError.value, moreError.value, begun.value] = [null, null, []];
  });
});

function add(chat) {
  batch(() => {
    learn([chat]);
    if (listed.value.has(chat.id)) return;
    listed.value = new Set([...listed.value, chat.id]);
    total.value += 1;
  });
}

function change(id, changes) {
  const chat = known.value.get(id);
  if (chat) learn([{...chat, ...changes(chat)}]);
  else find(id).catch(tellError); // it lies further down
}

function forget(id) {
  keepDraft(id, "");
  batch(() => {
    if (listed.value.has(id)) total.value -= 1;
    for (const set of [listed, hidden]) set.value = new Set([...set.value].filter(one => one !== id));
    known.value = new Map([...known.value].filter(([one]) => one !== id));
    if (chatId.value === id) show(null, {isReplaced: true});
  });
}

// What the user does

/** Change `title` or `model`. */
export async function update(id, changes) {
  add(await quillium.call("PATCH", `/chats/${id}`, changes));
}

/** Hide a chat now, and delete it unless that is undone; leaving the page does not undo it. */
export function remove(id) {
  const bringBack = () => (hidden.value = new Set([...hidden.value].filter(one => one !== id)));
  const {title} = chatOf(id);
  hidden.value = new Set([...hidden.value, id]);
  if (chatId.value === id) show(null, {isReplaced: true});
  const isDone = () => {
    removeEventListener("pagehide", removeForGood);
    return !hidden.value.has(id); // by another device, perhaps
  };
  const removeForGood = () => {
    if (isDone()) return undefined;
    return quillium.call("DELETE", `/chats/${id}`, undefined, {keepalive: true}).then(
      () => forget(id),
      error => (error.code === "not_found" ? forget(id) : (bringBack(), tellError(error))),
    );
  };
  addEventListener("pagehide", removeForGood);
  const undo = () => {
    if (isDone()) return;
    bringBack();
    show(id);
  };
  notify(t("chat.deleted", {title}), {
    action: {label: t("action.undo"), run: undo}, onClose: removeForGood,
  });
}

/** Download a chat. @param {"markdown" | "json"} format */
export async function save(id, format) {
  const text = await quillium.call("GET", `/chats/${id}/export?format=${format}`, undefined, {as: "text"});
  const link = document.createElement("a");
  const type = format === "json" ? "application/json" : "text/markdown";
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = fileName(chatOf(id).title) + (format === "json" ? ".json" : ".md");
  link.click();
  URL.revokeObjectURL(link.href);
}

const fileName = title => title.replace(/[^\p{L}\p{N}_-]+/gu, " ").trim().slice(0, 80) || "chat";

/** Make a chat of a file that was exported as JSON. */
export async function bring(file) {
  const chat = await quillium.call("POST", "/chats/import", JSON.parse(await file.text()));
  add(chat);
  return chat;
}
