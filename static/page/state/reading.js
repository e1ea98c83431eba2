/** Where the user reads in each chat, kept through reloads of the tab. */

import {on} from "./client.js";

const KEPT = "quillium-reading";
const MAX_CHATS = 200;

let places;
try {
  places = new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
} catch {
  places = new Map(); // storage is refused, or not ours
}

/** The message at the top of the view, and its distance to the top; undefined at the end of the chat. */
export const readingPlace = id => places.get(id);

/** @param {{id: string, offset: number} | null} place pixels; null for the end of the chat */
export function keepReadingPlace(id, place) {
  places.delete(id);
  if (place) places.set(id, place);
  keep();
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...places].slice(-MAX_CHATS)));
  } catch {
    // It is kept until the reload.
  }
}

on("session", isIn => {
  if (isIn) return;
  places.clear();
  keep();
});
