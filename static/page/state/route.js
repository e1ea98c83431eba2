/** Which chat is shown: the address's fragment is its id, or empty for none. */

import {signal} from "../../vendor/signals.js";

const CHAT = /^#(?:chat|new)_[0-9A-Za-z]+$/;

const shown = () => (CHAT.test(location.hash) ? location.hash.slice(1) : null);

/** Whether an id is one that the client gave to a chat which the server does not have yet. */
export const isLocal = id => id !== null && id.startsWith("new_");

/** Id of the chat that is shown; null for a new one. */
export const chatId = signal(shown());

addEventListener("hashchange", () => (chatId.value = shown()));

// `hashchange` comes some tasks after the click: what is typed until then would go to the chat before.
addEventListener("click", event => {
  const {button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented, target} = event;
  const address = target.closest?.("a[href]")?.getAttribute("href");
  if (button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented || !CHAT.test(address)) return;
  event.preventDefault();
  show(address.slice(1));
});

export const addressOf = id => (id ? `#${id}` : "#");

/** Show a chat; without an id a new one. `isReplaced`: where one was is no place to go back to. */
export function show(id, {isReplaced = false} = {}) {
  if (isReplaced) history.replaceState(null, "", addressOf(id));
  else if (id !== chatId.value) history.pushState(null, "", addressOf(id));
  chatId.value = id;
}
