/** Which chat is shown: the address's fragment is its id, or empty for none. */

import {signal} from "../../vendor/signals.js";

const shown = () => (/^#(chat|new)_[0-9A-Za-z]+$/.test(location.hash) ? location.hash.slice(1) : null);

/** Whether an id is one that the client gave to a chat which the server does not have yet. */
export const isLocal = id => id !== null && id.startsWith("new_");

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
