/** A word from the system when a reply has come and nobody looks at the page. */

import {signal} from "../../vendor/signals.js";
import {chatOf} from "./chats.js";
import {on} from "./client.js";
import {show} from "./route.js";
import {settings} from "./session.js";
import {inWords} from "./words.js";

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
  navigator.locks?.request(LOCK, {mode: "shared"}, () => released);
}
hold();
document.addEventListener("visibilitychange", hold);

async function isLookedAt() {
  if (!document.hidden) return true;
  const {held = []} = (await navigator.locks?.query()) ?? {};
  return held.some(({name}) => name === LOCK);
}

on("message", async message => {
  const isWanted = settings.value?.notifications_enabled && permission.value === "granted";
  if (message.sender !== "assistant" || !isWanted || await isLookedAt()) return;
  const text = message.error ? inWords(message.error) : message.content;
  const notification = new Notification(chatOf(message.chat_id)?.title ?? "Quillium", {
    body: text.slice(0, SHOWN_CHARACTERS), tag: message.id, icon: "/static/quill.svg",
  });
  notification.onclick = () => {
    focus();
    show(message.chat_id);
    notification.close();
  };
});
