/** Render Markdown to elements. The source is untrusted, so DOMPurify sanitizes the result. */

import DOMPurify from "../../vendor/purify.js";
import {dressCode} from "./code.js";
import {escapeHtml, render} from "./grammar.js";
import {typeset} from "./math.js";
import {drawn} from "./morph.js";
import {t} from "../state/words.js";

const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "abbr", "b", "bdi", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del", "details", "dfn",
    "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "input", "ins", "kbd", "li", "mark", "ol",
    "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "summary",
    "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr",
  ],
  ALLOWED_ATTR: [
    "align", "checked", "class", "colspan", "dir", "disabled", "href", "open", "rowspan", "start", "type",
  ],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  // With a pattern of our own, DOMPurify tests every attribute by it that is not in this list.
  ADD_URI_SAFE_ATTR: ["align", "colspan", "dir", "open", "rowspan", "start", "type"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** HTML of units that follow each other; what can't be read, such as 10,000 nested quotes, is shown as it is. */
function html(units, env) {
  const [{kind, head, isPlain}] = units;
  const isOpen = env.isOpen && units.at(-1).isLast;
  const source = units.map(unit => unit.source).join("");
  try {
    if (isPlain) throw new RangeError("too long");
    return render(head + source, {...env, references: {...env.references}, isOpen});
  } catch {
    const plain = `<p class="plain" dir="auto">${escapeHtml(source)}</p>`;
    return kind === "item" ? `<ul><li>${plain}</li></ul>` : plain;
  }
}

/**
 * The elements of each unit: its `part` of a `section`, and the `list` that it is an item of.
 *
 * @param {import("./units.js").Unit[]} units in their order, but not all have to be there
 */
export function elements(units, env) {
  const runs = [];
  for (const unit of units) {
    const last = runs.at(-1)?.at(-1);
    const isNext = last && !unit.isFirst && unit.kind !== "block" && unit.kind === last.kind
      && unit.start === last.start + last.source.length;
    if (isNext) runs.at(-1).push(unit);
    else runs.push([unit]);
  }
  const markup = runs.map(run => `<section>${html(run, env)}</section>`).join("");
  const fragment = DOMPurify.sanitize(markup, ALLOWED);
  dress(fragment);
  return [...fragment.children].flatMap((section, place) => parts(runs[place], section));
}

const SELECTORS = {head: "thead", item: ":scope > :is(ol, ul) > li", row: "tbody > tr"};

function parts(run, section) {
  const [{kind}] = run;
  if (kind === "block") return [{section, part: section, list: null}];
  const found = [...section.querySelectorAll(SELECTORS[kind])];
  // Parsed alone, it may have another meaning than in context. No text is lost.
  found.at(-1)?.append(...[...section.children].slice(1));
  // Empty where the run can't be read, which is then in the first one.
  const empty = () => document.createElement(kind === "item" ? "li" : "tr");
  return run.map((_, place) => {
    const part = found[place] ?? empty();
    return {section, part, list: kind === "item" ? found[0].parentNode : null};
  });
}

const element = (name, properties) => Object.assign(document.createElement(name), properties);

// Each has the direction of its own text. Set only now: Chromium looks for it whenever a child is added,
// which takes quadratic time while thousands of lines are parsed.
const DIRECTED = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "th", "td", "blockquote", "summary"]
  .map(name => `${name}:not([dir])`).join();

function dress(fragment) {
  for (const block of fragment.querySelectorAll(DIRECTED)) block.dir = "auto";
  for (const link of fragment.querySelectorAll("a[href]")) {
    Object.assign(link, {target: "_blank", rel: "noopener noreferrer"});
  }
  for (const box of fragment.querySelectorAll("input")) {
    box.setAttribute("aria-label", t(box.checked ? "markdown.done" : "markdown.to_do"));
  }
  for (const table of fragment.querySelectorAll("table")) {
    const scroll = element("div", {className: "scroll", tabIndex: 0, role: "region", ariaLabel: t("markdown.table")});
    table.replaceWith(scroll);
    scroll.append(table);
  }
  for (const pre of fragment.querySelectorAll("pre")) dressCode(pre);
  for (const code of fragment.querySelectorAll("code.math")) dressFormula(code);
  for (const note of fragment.querySelectorAll("sup.footnote-reference")) dressReference(note);
}

/** A formula: shown as it was written until it is drawn. `source` is what is copied. */
function dressFormula(code) {
  const formula = element("span", {className: "math", dir: "ltr"});
  code.replaceWith(formula);
  const drawing = {
    source: "",
    update(source) {
      drawing.source = source;
      formula.replaceChildren(element("code", {textContent: source}));
      typeset(source).then(math => math && source === drawing.source && formula.replaceChildren(math));
    },
  };
  drawn.set(formula, drawing);
  drawing.update(code.textContent);
}

/** The number of a footnote leads to it. */
function dressReference(note) {
  const number = note.textContent;
  const link = element("a", {href: "#", textContent: number, ariaLabel: t("markdown.footnote", {number})});
  link.addEventListener("click", event => {
    event.preventDefault(); // the fragment of the address is the chat's
    const notes = [...event.currentTarget.closest(".prose").querySelectorAll(".footnote")];
    const found = notes.find(({firstElementChild: {textContent}}) => textContent === number);
    found?.scrollIntoView({block: "nearest"});
    if (found) Object.assign(found, {tabIndex: -1}).focus({preventScroll: true});
  });
  note.replaceChildren(link);
}
