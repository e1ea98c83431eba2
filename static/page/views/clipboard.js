/** Copying: buttons that copy, and what is copied of a selection. */

import {drawn} from "../markdown/morph.js";
import {notify} from "../state/notices.js";
import {t} from "../state/words.js";

const COPIED_MS = 2_000; // how long a button says so

/** Copy a text. The button says so for a moment, if it was copied. */
export async function copyText(text, button) {
  if (!(await write(text, button))) {
    notify(t("copy.failed"), {isError: true});
    return;
  }
  button.textContent = t("action.copied");
  setTimeout(() => (button.textContent = t("action.copy")), COPIED_MS);
}

async function write(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not granted, or not there: pages that are served under a name without TLS have no clipboard.
    return writeByCommand(text, button);
  }
}

/** In the dialog that is open, if the button is in one: nothing outside of it can be selected. */
function writeByCommand(text, button) {
  const field = Object.assign(document.createElement("textarea"), {value: text, readOnly: true, className: "hidden"});
  const focused = document.activeElement;
  (button.closest("dialog, [popover]") ?? document.body).append(field);
  field.select();
  let isCopied = false;
  try {
    isCopied = document.execCommand("copy");
  } catch {
    // A browser that allows neither.
  }
  field.remove();
  focused?.focus({preventScroll: true});
  return isCopied;
}

// A selection is copied without the labels of buttons, and with formulas as they were written.

const LEFT_OUT = "button, .code-bar, .about, .hidden, .writing";

document.addEventListener("copy", event => {
  const selection = getSelection();
  if (selection.isCollapsed || !selection.rangeCount || isInField(document.activeElement)) return;
  const range = selection.getRangeAt(0);
  const root = range.commonAncestorContainer;
  const element = root.nodeType === Node.ELEMENT_NODE ? root : root.parentElement;
  if (!element.closest(".transcript")) return;
  const copy = contentOf(range, element);
  event.clipboardData.setData("text/plain", textOf(copy, element));
  event.clipboardData.setData("text/html", htmlOf(copy));
  event.preventDefault();
});

/** The text of an element as it is read, without the signs of Markdown. */
export function plainText(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  return textOf(contentOf(range, element), element);
}

/** What is in a range of an element: formulas as they were written, and no buttons. */
function contentOf(range, element) {
  const copy = whole(range).cloneContents();
  const formulas = [...element.querySelectorAll(".math")].filter(formula => range.intersectsNode(formula));
  copy.querySelectorAll(".math").forEach((formula, place) =>
    formulas[place] && formula.replaceChildren(drawn.get(formulas[place]).source));
  for (const left of copy.querySelectorAll(LEFT_OUT)) left.remove();
  return copy;
}

const isInField = element => element?.matches("input, textarea");

/** The range, with the whole of the formulas at its ends. */
function whole(selected) {
  const range = selected.cloneRange();
  const at = node => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement).closest(".math");
  const [first, last] = [at(range.startContainer), at(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  return range;
}

/** As the browser would write it, with the lines as they are laid out. */
function textOf(copy, element) {
  const place = document.createElement("div");
  place.className = "copying prose";
  if (element.closest("pre, .words")) place.style.whiteSpace = "pre-wrap";
  place.append(copy.cloneNode(true));
  document.body.append(place);
  const text = place.innerText;
  place.remove();
  return text.replace(/\n$/, "");
}

function htmlOf(copy) {
  const place = document.createElement("div");
  place.append(copy.cloneNode(true));
  for (const element of place.querySelectorAll("[class], [tabindex]")) {
    element.removeAttribute("class");
    element.removeAttribute("tabindex");
  }
  return place.innerHTML;
}
