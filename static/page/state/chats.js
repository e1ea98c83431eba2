/** The user's chats: paginated, searchable, and synchronized over the socket. */

import {batch, computed, effect, signal} from "../../vendor/signals.js";
import {on, quillium, whenListing} from "./client.js";
import {keepDraft} from "./drafts.js";
import {notify, tellError} from "./notices.js";
import {chatId, isLocal, show} from "./route.js";
import {fileName, saveAs} from "./saving.js";
import {isSignedIn} from "./session.js";
import {language, t} from "./words.js";

const PAGE = 50; // the first one
const NEXT_PAGE = 100;
const OVERLAP = 3; // chats of a page that are there already, if nothing lies between it and the one before
const TYPING_PAUSE_MS = 200; // a search begins when the user pauses
const MAX_TITLE = 80; // characters of a chat that is not created yet

const known = signal(new Map()); // by id, latest known state
const listed = signal(new Set()); // ids in the pages that were loaded, or that came since
const hidden = signal(new Set()); // ids of those that go when their notice does
const found = signal(null); // what a search found: {ids, count, total, matches}; null without a search
const isWhole = signal(false); // whether the last page was loaded
let oldest = ""; // time of the last chat up to which the pages were loaded
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
  if (found.value !== null) return [...begun.value, ...chats];
  return [...chats.filter(chat => !chat.is_archived), ...begun.value].sort(inOrder);
});

/** Pinned chats first, then the newest, as the server lists them. */
const inOrder = (one, other) => (Boolean(one.is_pinned) === Boolean(other.is_pinned)
  ? (one.updated_at < other.updated_at ? 1 : -1)
  : (one.is_pinned ? -1 : 1));

const DAY_MS = 86_400_000;
const SPANS = [[0, "chats.today"], [1, "chats.yesterday"], [7, "chats.last_week"], [30, "chats.last_month"]];

/** The heading under which a chat is listed; null among the results of a search. */
export function groupOf({is_pinned, updated_at}) {
  if (found.value !== null) return null;
  if (is_pinned) return t("chats.pinned");
  const time = new Date(updated_at);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / DAY_MS);
  const span = SPANS.find(([most]) => days <= most);
  return span ? t(span[1]) : time.toLocaleDateString(language(), {month: "long", year: "numeric"});
}

const matchesOf = chats => chats.map(({id, match}) => [id, match]);

/** The message of a chat that a search found: {message_id, snippet}; null if only the title has the words. */
export const matchOf = id => found.value?.matches.get(id) ?? null;

/** Whether the chats that are shown are those that a search found. */
export const areFound = computed(() => found.value !== null);

export const hasMore = computed(() => found.value !== null
  ? found.value.count < found.value.total
  : isLoaded.value && !isWhole.value);

export const unreadCount = computed(() =>
  [...known.value.values()].filter(({id}) => !hidden.value.has(id))
    .reduce((sum, chat) => sum + chat.unread_count, 0));

// Listing

async function load(offset, searched, limit = PAGE) {
  const search = searched ? `&q=${encodeURIComponent(searched)}` : "";
  return quillium.call("GET", `/chats?limit=${limit}&offset=${offset}${search}`);
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
    oldest = data.at(-1)?.updated_at ?? "";
    isWhole.value = data.length >= pagination.total;
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
    await (found.value ? loadMoreFound() : loadMoreListed());
  } catch (error) {
    moreError.value = error;
  } finally {
    isLoadingMore = false;
  }
}

/** Chats may have come, gone and moved since the page before: it has to join the one that is there. */
async function loadMoreListed() {
  const isInPages = ({id, updated_at, is_pinned, is_archived}) =>
    listed.value.has(id) && !is_archived && (is_pinned || updated_at >= oldest);
  const head = [...listed.value].map(id => known.value.get(id)).filter(chat => chat && isInPages(chat));
  let offset = Math.max(0, head.length - OVERLAP);
  for (;;) {
    const {data, pagination} = await load(offset, "", NEXT_PAGE);
    const isJoined = offset === 0 || (data.length > 0 && isInPages(data[0]));
    batch(() => {
      learn(data);
      listed.value = new Set([...listed.value, ...data.map(({id}) => id)]);
      if (!isJoined) return;
      oldest = data.at(-1)?.updated_at ?? "";
      isWhole.value = offset + data.length >= pagination.total;
    });
    if (isJoined) return;
    offset = Math.max(0, offset - NEXT_PAGE / 2);
  }
}

async function loadMoreFound() {
  const searched = query.value;
  const {count} = found.value;
  const offset = Math.max(0, count - OVERLAP);
  const {data, pagination} = await load(offset, searched, NEXT_PAGE);
  if (searched !== query.value || !found.value) return; // another search began meanwhile
  batch(() => {
    learn(data);
    const ids = [...new Set([...found.value.ids, ...data.map(({id}) => id)])];
    const isEnd = offset + data.length <= count; // fewer are found than before
    const matches = new Map([...found.value.matches, ...matchesOf(data)]);
    found.value = {ids, count: offset + data.length, total: isEnd ? 0 : pagination.total, matches};
  });
}

async function search() {
  const searched = query.value;
  searchError.value = null;
  const {data, pagination} = await load(0, searched);
  if (searched !== query.value) return;
  batch(() => {
    learn(data);
    const ids = [...new Set([...createdMeanwhile, ...data.map(({id}) => id)])];
    found.value = {ids, count: data.length, total: pagination.total, matches: new Map(matchesOf(data))};
    isSearching.value = false;
  });
}

export function retrySearch() {
  const searched = query.value;
  search().catch(error => {
    if (searched === query.value) [searchError.value, isSearching.value] = [error, false];
  });
}

const createdMeanwhile = new Set(); // ids of chats since the query last changed

let searchTimer = 0;
effect(() => {
  const searched = query.value.trim();
  clearTimeout(searchTimer);
  createdMeanwhile.clear();
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
  addToFound(chat.id);
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
    isWhole.value = false;
  });
});

/** Add a chat of the server to the list, or what is new about it. */
export function add(chat) {
  batch(() => {
    learn([chat]);
    if (listed.value.has(chat.id)) return;
    listed.value = new Set([...listed.value, chat.id]);
    if (chat.created_at === chat.updated_at) addToFound(chat.id); // no search can have found it
  });
}

function addToFound(id) {
  createdMeanwhile.add(id);
  if (found.value) found.value = {...found.value, ids: [...new Set([id, ...found.value.ids])]};
}

function change(id, changes) {
  const chat = known.value.get(id);
  if (chat) learn([{...chat, ...changes(chat)}]);
  else find(id).catch(tellError); // it lies further down
}

/** Hide chats that are about to be deleted, or show them again. */
export function hide(id, isHidden = true) {
  const ids = new Set(hidden.value);
  if (isHidden) ids.add(id);
  else ids.delete(id);
  hidden.value = ids;
  if (isHidden && chatId.value === id) show(null, {isReplaced: true});
}

export const isHidden = id => hidden.value.has(id);

export function forget(id) {
  keepDraft(id, "");
  batch(() => {
    for (const set of [listed, hidden]) set.value = new Set([...set.value].filter(one => one !== id));
    known.value = new Map([...known.value].filter(([one]) => one !== id));
    if (chatId.value === id) show(null, {isReplaced: true});
  });
}

// What the user does

/** Archive a chat, which can be undone. */
export async function archive(chat) {
  const undo = () => update(chat.id, {is_archived: false}).catch(tellError);
  await update(chat.id, {is_archived: true});
  notify(t("chat.archived", {title: chat.title}), {action: {label: t("action.undo"), run: undo}});
}

/** Change what a chat has, such as its `title` or `model`. */
export async function update(id, changes) {
  add(await quillium.call("PATCH", `/chats/${id}`, changes));
}

/** Download a chat. @param {"markdown" | "json"} format */
export async function save(id, format) {
  const text = await quillium.call("GET", `/chats/${id}/export?format=${format}`, undefined, {as: "text"});
  const type = format === "json" ? "application/json" : "text/markdown";
  saveAs(new Blob([text], {type}), fileName(chatOf(id).title) + (format === "json" ? ".json" : ".md"));
}
