/** What the user types in this browser, so that it is not taken for another device's. */

import {channel} from "../../client/tabs.js";
import {quillium} from "./client.js";
import {isLocal} from "./route.js";

const TOLD_MS = 3_000; // between two frames that say so
const RECENT_MS = 6_000; // so long what is heard of a chat may be what was typed here

const typedAt = new Map(); // by chat id: when somebody typed in it in any tab of this browser
const tabs = channel("quillium-typing", id => typedAt.set(id, Date.now()));
let told = {id: null, at: 0};

/** The user types in a chat, or has sent what was typed. */
export function typing(id, isTyping = true) {
  if (id === null || isLocal(id)) return;
  typedAt.set(id, Date.now());
  const isTold = told.id === id && Date.now() < told.at + TOLD_MS;
  if (isTyping && isTold) return;
  told = {id, at: isTyping ? Date.now() : 0};
  tabs?.postMessage(id);
  quillium.typing(id, isTyping);
}

/** Whether what is heard of typing in a chat comes from this browser. */
export const isTypedHere = id => Date.now() < (typedAt.get(id) ?? 0) + RECENT_MS;
