/** What a key press means, on every keyboard and input method. */

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/**
 * Whether a key press belongs to an input method. Safari ends a composition before the press of Enter
 * that confirms it; only its `keyCode` says so.
 */
export const isComposing = event => event.isComposing || event.keyCode === 229;

/** Whether a press types a character that has to be typed so: with AltGr, Option or a dead key. */
function isTyping(event) {
  if (event.getModifierState("AltGraph") || event.key === "Dead" || isComposing(event)) return true;
  return event.altKey && (isMac || event.ctrlKey); // on Windows, AltGr is Ctrl and Alt
}

/** Whether a press is that of a letter: by what it types, or by its place on other scripts' keyboards. */
function isLetter(event, letter) {
  if (/^[\p{Script=Latin}]$/u.test(event.key)) return event.key.toLowerCase() === letter;
  return /^\p{L}$/u.test(event.key) && event.code === `Key${letter.toUpperCase()}`;
}

const isKey = (event, key) => (/^[a-z]$/.test(key) ? isLetter(event, key) : event.key === key);

/** Ctrl and a key; on a Mac Command. */
export const isCommand = (event, key, {shift = false} = {}) => {
  const [command, other] = isMac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  return !isTyping(event) && command && !other && !event.altKey && event.shiftKey === shift && isKey(event, key);
};

/** Alt and a key. There is none on a Mac, where Option types characters. */
export const isAlt = (event, key) =>
  !isTyping(event) && event.altKey && !event.metaKey && !event.shiftKey && isKey(event, key);

/** A key without modifiers, but for Shift where that types it. */
export const isPlain = (event, key) =>
  !isTyping(event) && !event.altKey && !event.ctrlKey && !event.metaKey && event.key === key;

const command = isMac ? "⌘" : "Ctrl";
const steps = isMac ? ["⌘", "⇧"] : ["Alt"];

/** Keys of each shortcut, as they are shown. */
export const KEYS = {
  help: ["?"],
  new: isMac ? ["⌘", "⇧", "O"] : ["Alt", "N"],
  palette: [command, "K"],
  search: ["/"],
  sidebar: [command, "B"],
  compose: [command, "I"],
  next: [...steps, "↓"],
  previous: [...steps, "↑"],
  settings: [command, ","],
  send: ["Enter"],
  line: ["Shift", "Enter"],
  stop: ["Esc"],
};

/** @param {keyof typeof KEYS} shortcut @returns {string} such as "Ctrl+K" */
export const keysOf = shortcut => KEYS[shortcut].join("+");
