/** A block of code: its language, a button to copy it, and its colours. */

import {drawn, setText} from "./morph.js";
import {copyText} from "../views/clipboard.js";
import {saveAs} from "../state/saving.js";
import {t} from "../state/words.js";

const MAX_HIGHLIGHTED_CHARACTERS = 30_000;
const GROWTH = 1.5; // growing code is highlighted again at this factor, which takes linear time in total

/** Endings of files in languages whose names are none. */
const ENDINGS = {
  bash: "sh", csharp: "cs", javascript: "js", kotlin: "kt", markdown: "md", perl: "pl", plaintext: "txt", python: "py", ruby: "rb",
  rust: "rs", shell: "sh", text: "txt", typescript: "ts", yaml: "yml",
};

const element = (name, properties) => Object.assign(document.createElement(name), properties);

/** Dress a `pre`, as it comes from Markdown. */
export function dressCode(pre) {
  const code = pre.querySelector(":scope > code:only-child");
  if (!code) return; // written as HTML
  const language = /^language-(.+)/.exec(code.className)?.[1] ?? "";
  const copy = element("button", {type: "button", className: "copy", textContent: t("action.copy")});
  const bar = element("div", {className: "code-bar"});
  const wrap = element("button", {type: "button", textContent: t("code.wrap"), ariaPressed: "false"});
  const save = element("button", {type: "button", textContent: t("code.save")});
  bar.append(element("span", {className: "code-language", textContent: language}), copy, wrap, save);
  const block = element("div", {className: "code-block", dir: "ltr"});
  Object.assign(pre, {tabIndex: 0, role: "region", ariaLabel: t("markdown.code", {language})});
  pre.replaceWith(block);
  block.append(bar, pre);
  const colours = new Code(code);
  drawn.set(code, colours);
  copy.addEventListener("click", () => copyText(colours.source.replace(/\n$/, ""), copy));
  wrap.addEventListener("click", () => (wrap.ariaPressed = String(block.classList.toggle("is-wrapped"))));
  save.addEventListener("click", () => saveAs(new Blob([colours.source]), `code.${endingOf(language)}`));
}

const endingOf = language => ENDINGS[language] ?? (/^[a-z][a-z0-9]{0,7}$/.test(language) ? language : "txt");

let highlighter; // loaded with the first code block

class Code {
  #code;
  #highlighted = 0; // characters that have colours

  constructor(code) {
    this.#code = code;
    this.source = code.textContent;
    this.#highlight();
  }

  /** Show more, or other, code. */
  update(source) {
    const grown = source.startsWith(this.source) ? source.slice(this.source.length) : null;
    this.source = source;
    if (grown === null) {
      this.#code.textContent = source;
      this.#highlighted = 0;
    } else {
      const {lastChild} = this.#code;
      if (lastChild?.nodeType === Node.TEXT_NODE && lastChild.length < 4_000) setText(lastChild, lastChild.data + grown);
      else this.#code.append(grown);
    }
    this.#highlight();
  }

  /** The code is complete. */
  finish() {
    if (this.#highlighted < this.source.length) this.#highlight(true);
  }

  async #highlight(isLast = false) {
    const {source} = this;
    if (source.length > MAX_HIGHLIGHTED_CHARACTERS) return;
    if (!isLast && source.length < this.#highlighted * GROWTH) return;
    highlighter ??= import("../../vendor/highlight.js");
    const {default: hljs} = await highlighter;
    if (source !== this.source) return;
    const language = /^language-(.+)/.exec(this.#code.className)?.[1];
    if (!language || !hljs.getLanguage(language)) return;
    this.#highlighted = source.length;
    const {value} = hljs.highlight(source, {language, ignoreIllegals: true});
    keepSelection(this.#code, () => (this.#code.innerHTML = value));
  }
}

/** Change the elements of a text without losing what is selected in it. */
function keepSelection(place, change) {
  const selection = getSelection();
  const isWithin = node => node && place.contains(node);
  if (selection.isCollapsed || !(isWithin(selection.anchorNode) || isWithin(selection.focusNode))) {
    change();
    return;
  }
  const ends = [[selection.anchorNode, selection.anchorOffset], [selection.focusNode, selection.focusOffset]]
    .map(([node, offset]) => (isWithin(node) ? characters(place, node, offset) : [node, offset]));
  change();
  const [anchor, focus] = ends.map(end => (typeof end === "number" ? position(place, end) : end));
  selection.setBaseAndExtent(...anchor, ...focus);
}

function characters(place, node, offset) {
  const range = document.createRange();
  range.setStart(place, 0);
  range.setEnd(node, offset);
  return range.toString().length;
}

function position(place, offset) {
  const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  let left = offset;
  while (texts.nextNode()) {
    if (left <= texts.currentNode.length) return [texts.currentNode, left];
    left -= texts.currentNode.length;
  }
  return [place, place.childNodes.length];
}
