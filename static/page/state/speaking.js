/** Replies that are read aloud, by the browser's own voices. */

import {signal} from "../../vendor/signals.js";
import {notify} from "./notices.js";
import {language, t} from "./words.js";

const PART_CHARACTERS = 200; // Chromium stops in longer ones
const PARTS = new RegExp(`[^\\n.!?。！？]{1,${PART_CHARACTERS}}[.!?。！？]*`, "g");
const synthesis = globalThis.speechSynthesis;
synthesis?.getVoices(); // begins to load them

export const canSpeak = synthesis !== undefined;
/** The id of the message that is read; null while none is. */
export const spoken = signal(null);

/** Read a text in the language of the page, in place of what is read now. */
export function speak(id, text) {
  synthesis.cancel();
  if (!synthesis.getVoices().length) return notify(t("speech.no_voice"), {isError: true});
  const parts = text.match(PARTS) ?? [];
  for (const [place, part] of parts.entries()) {
    const utterance = Object.assign(new SpeechSynthesisUtterance(part), {lang: language()});
    if (place === parts.length - 1) utterance.onend = () => spoken.value === id && (spoken.value = null);
    synthesis.speak(utterance);
  }
  spoken.value = parts.length ? id : null;
  return undefined;
}

export function hush() {
  synthesis.cancel();
  spoken.value = null;
}

globalThis.addEventListener?.("pagehide", () => synthesis?.cancel());
