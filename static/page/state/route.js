/** Which chat is shown: the address's fragment is its id, or empty for a new one. */

import {signal} from "../../vendor/signals.js";

const shown = () => (/^#chat_[0-9A-Za-z]+$/.test(location.hash) ? location.hash.slice(1) : null);

/** Id of the chat that is shown; null for a new one. */
export const chatId = signal(shown());

addEventListener("hashchange", () => (chatId.value = shown()));

export const addressOf = id => (id ? `#${id}` : "#");

/** Show a chat; without an id a new one. `isReplaced`: where one was is no place to go back to. */
export function show(id, {isReplaced = false} = {}) {
  if (isReplaced) history.replaceState(null, "", addressOf(id));
  else if (id !== chatId.value) history.pushState(null, "", addressOf(id));
  chatId.value = id;
}
