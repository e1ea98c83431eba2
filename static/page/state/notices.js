/** Short messages at the edge of the page, and what screen readers are told. */

import {signal} from "../../vendor/signals.js";
import {inWords} from "./words.js";

const SHOWN_MS = 8_000;

/** @type {import("../../vendor/signals.js").Signal<{id, text, isError, action}[]>} */
export const notices = signal([]);
export const announcement = signal("");

let number = 0;

/**
 * Show a notice for a while.
 *
 * @param {string} text
 * @param {object} [options]
 * @param {boolean} [options.isError]
 * @param {boolean} [options.isLasting] until somebody closes it
 * @param {{label: string, run: () => void}} [options.action] such as undo
 * @param {() => unknown} [options.onClose] called once it is gone, unless the action was taken
 */
export function notify(text, {isError = false, isLasting = false, action, onClose = () => {}} = {}) {
  const id = ++number;
  const close = () => {
    if (!notices.value.some(notice => notice.id === id)) return;
    clearTimeout(notice.timer);
    notices.value = notices.value.filter(other => other.id !== id);
    return onClose();
  };
  const act = () => {
    onClose = () => {};
    close();
    action.run();
  };
  const notice = {id, text, isError, close, action: action && {label: action.label, run: act}};
  notice.wait = () => {
    clearTimeout(notice.timer);
    if (!isLasting) notice.timer = setTimeout(close, SHOWN_MS);
  };
  notice.hold = () => clearTimeout(notice.timer); // while somebody points at it
  notice.wait();
  const same = notices.value.filter(other => !other.action && other.text === text);
  for (const other of same) other.close();
  notices.value = [...notices.value, notice];
}

/** Close all, and wait for what follows from that. */
export const closeNotices = () => Promise.all(notices.value.map(({close}) => close()));

/** Tell that something failed, and what to do. */
export const tellError = error => notify(inWords(error), {isError: true});

/** Have a screen reader say something, politely. */
export function announce(text) {
  announcement.value = text;
}
