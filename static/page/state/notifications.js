/** A system notification when a reply arrives while the page is not visible. */

import {signal} from "../../vendor/signals.js";
import {locked} from "../../client/tabs.js";
import {brand} from "./brand.js";
import {chatOf} from "./chats.js";
import {on} from "./client.js";
import {ROOT} from "./place.js";
import {show} from "./route.js";
import {settings} from "./session.js";
import {inWords} from "./words.js";

const ICON = new URL(brand.icon ?? "static/quill.svg", ROOT).href;
const SHOWN_CHARACTERS = 140;
const LOCK = "quillium-looked-at"; // held by each tab that is looked at

/** "default" (not asked yet), "granted", "denied", or "unsupported". */
export const permission = signal(globalThis.Notification?.permission ?? "unsupported");

export async function askPermission() {
  permission.value = await Notification.requestPermission();
}

let letGo = () => {};
function hold() {
  letGo();
  if (document.hidden) return;
  const released = new Promise(resolve => (letGo = resolve));
  locked(LOCK, {mode: "shared"}, () => released);
}
hold();
document.addEventListener("visibilitychange", hold);

async function isLookedAt() {
  if (!document.hidden) return true;
  try {
    const {held = []} = (await navigator.locks?.query()) ?? {};
    return held.some(({name}) => name === LOCK);
  } catch {
    return false; // the browser refuses locks together with all storage
  }
}

on("message", async message => {
  const isWanted = settings.value?.notifications_enabled && permission.value === "granted";
  if (message.sender !== "assistant" || !isWanted || await isLookedAt()) return;
  const text = message.error ? inWords(message.error) : message.content;
  const title = chatOf(message.chat_id)?.title ?? brand.name;
  const options = {body: text.slice(0, SHOWN_CHARACTERS), tag: message.id, icon: ICON};
  let notification;
  try {
    notification = new Notification(title, options);
  } catch { // Chrome on Android allows them to service workers alone
    permission.value = "unsupported";
    return;
  }
  notification.onclick = () => {
    focus();
    show(message.chat_id);
    notification.close();
  };
});
