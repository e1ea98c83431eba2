/**
 * What was typed and not sent, for each account and chat: in step between tabs, kept through reloads
 * and expired sessions, and gone once the user signs out.
 */

import {signal} from "../../vendor/signals.js";
import {Records} from "../../client/records.js";
import {channel} from "../../client/tabs.js";
import {on, quillium} from "./client.js";
import {NAME} from "./place.js";

const NEW = "new"; // what stands for the id of a chat that was not begun

const records = new Records(NAME);
const tabs = channel(`${NAME}-drafts`, hear);
const texts = signal(new Map()); // by chat id
/** Ids of the chats whose drafts last only as long as this tab, as the browser refuses to store them. */
export const unstored = signal(new Set());
const returned = new Map(); // by chat id: what was put back at the beginning of its draft
let account = null; // whose they are

/** @param {string | null} chatId null for a new chat */
export const draftOf = chatId => texts.value.get(chatId ?? NEW) ?? "";

export function keepDraft(chatId, text) {
  const id = chatId ?? NEW;
  if (account === null || text === draftOf(chatId)) return;
  put(id, text);
  const stored = text
    ? records.put("drafts", {account, chat_id: id, text})
    : records.delete("drafts", [account, id]);
  const note = isStored => mark(id, isStored || !text);
  stored.then(() => note(true), () => note(false));
  tabs?.postMessage({account, id, text});
}

/** Put back what could not be sent: after what was put back before, and before what was typed since. */
export function giveBack(chatId, text) {
  const id = chatId ?? NEW;
  const draft = draftOf(chatId);
  const before = draft.startsWith(returned.get(id)) ? returned.get(id) : "";
  const typed = draft.slice(before.length).trimStart();
  const join = parts => parts.filter(Boolean).join("\n\n");
  returned.set(id, join([before, text]));
  keepDraft(chatId, join([before, text, typed]));
}

/** Read the drafts of who is signed in. */
export async function loadDrafts() {
  if (account === quillium.account) return;
  account = quillium.account;
  texts.value = new Map();
  const [stored] = await records.all(account, "drafts").catch(() => [[]]);
  const typed = texts.value; // meanwhile
  texts.value = new Map([...stored.map(({chat_id, text}) => [chat_id, text]), ...typed]);
}

/** Forget all drafts of who is signed in, here and in the other tabs. */
export function clearDrafts() {
  for (const id of texts.value.keys()) keepDraft(id, "");
}

function mark(id, isStored) {
  if (isStored !== unstored.value.has(id)) return;
  const changed = new Set(unstored.value);
  changed[isStored ? "delete" : "add"](id);
  unstored.value = changed;
}

function put(id, text) {
  const changed = new Map(texts.value);
  if (text) changed.set(id, text);
  else changed.delete(id);
  texts.value = changed;
}

function hear(news) {
  if (news.account === account) put(news.id, news.text);
}

on("session", isIn => {
  if (isIn) return;
  [account, texts.value, unstored.value] = [null, new Map(), new Set()];
  returned.clear();
});

on("created", ({local_id, chat}) => {
  const text = draftOf(local_id);
  if (!text) return;
  keepDraft(chat.id, text);
  keepDraft(local_id, "");
});
