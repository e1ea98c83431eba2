/** What was typed and not said, for each user and chat; it outlives the tab and the session. */

import {user} from "./session.js";

const key = chatId => `quillium-draft:${user.value?.id}:${chatId ?? "new"}`;

/** @param {string | null} chatId null for a new chat */
export const draftOf = chatId => localStorage.getItem(key(chatId)) ?? "";

export function keepDraft(chatId, text) {
  if (text) localStorage.setItem(key(chatId), text);
  else localStorage.removeItem(key(chatId));
}

/** Put back what could not be said, before what was typed since. */
export const giveBack = (chatId, text) =>
  keepDraft(chatId, [text, draftOf(chatId)].filter(Boolean).join("\n\n"));
