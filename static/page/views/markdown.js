/**
 * Markdown as elements. Whoever wrote it is not trusted: raw HTML is shown as text, links lead out and
 * only to the web, no picture is fetched, and DOMPurify has the last word.
 */

import {Lexer, Marked} from "../../vendor/marked.js";
import DOMPurify from "../../vendor/purify.js";
import {html, useLayoutEffect, useMemo, useRef} from "./html.js";
import {language, t} from "../state/words.js";

// Characters; what is longer stays plain. Marked takes quadratic time for some paragraphs: 14 s for
// 100,000 characters that were made for it, 0.1 s for 8,000.
const MOST_HIGHLIGHTED = 30_000; // of a code block
const MOST_INLINE = 8_000; // of a paragraph
const MOST_TEXT = 400_000; // of a message

const escape = text => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({text}) => escape(text),
    image: ({href, text}) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
  },
});

class CarefulLexer extends Lexer {
  inlineTokens(source, tokens = []) {
    if (source.length <= MOST_INLINE) return super.inlineTokens(source, tokens);
    tokens.push({type: "text", raw: source, text: source, escaped: false});
    return tokens;
  }
}

const lexer = () => new CarefulLexer(marked.defaults);

const ALLOWED = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "input",
    "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "checked", "class", "disabled", "href", "start", "type"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** The elements for one block of Markdown; `links` are those that the whole text defines. */
function elements(source, links) {
  if (source.length > MOST_TEXT) throw new RangeError("too long");
  const blockLexer = lexer();
  Object.assign(blockLexer.tokens.links, links);
  const fragment = DOMPurify.sanitize(marked.parser(blockLexer.lex(source)), ALLOWED);
  for (const link of fragment.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  for (const box of fragment.querySelectorAll("input")) {
    if (box.type !== "checkbox") box.remove();
    box.ariaLabel = t(box.checked ? "markdown.done" : "markdown.to_do");
  }
  for (const table of fragment.querySelectorAll("table")) {
    const scroll = element("div", {className: "scroll", tabIndex: 0, role: "region", ariaLabel: t("markdown.table")});
    table.replaceWith(scroll);
    scroll.append(table);
  }
  for (const pre of fragment.querySelectorAll("pre")) dress(pre);
  return fragment;
}

/** A block of code: its language, a copy button, colours. */
function dress(pre) {
  const code = pre.firstElementChild;
  const name = /^language-(.+)/.exec(code.className)?.[1] ?? "";
  const copy = element("button", {type: "button", className: "copy", textContent: t("action.copy")});
  copy.addEventListener("click", () => copyText(code.textContent.trimEnd(), copy));
  const bar = element("div", {className: "code-bar"});
  bar.append(element("span", {textContent: name}), copy);
  const block = element("div", {className: "code-block"});
  Object.assign(pre, {tabIndex: 0, role: "region", ariaLabel: t("markdown.code", {language: name})});
  pre.replaceWith(block);
  block.append(bar, pre);
  highlight(code, name);
}

const element = (name, properties) => Object.assign(document.createElement(name), properties);

let highlighter; // comes with the first code block

async function highlight(code, language) {
  const text = code.textContent;
  if (!language || text.length > MOST_HIGHLIGHTED) return;
  highlighter ??= import("../../vendor/highlight.js");
  const {default: hljs} = await highlighter;
  if (!hljs.getLanguage(language)) return;
  code.innerHTML = hljs.highlight(text, {language, ignoreIllegals: true}).value;
}

/** Copy, and say so on the button for a moment. */
export async function copyText(text, button) {
  await write(text);
  button.textContent = t("action.copied");
  setTimeout(() => (button.textContent = t("action.copy")), 2_000);
}

/** Pages that are served under a name without TLS have no clipboard of their own. */
async function write(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = element("textarea", {value: text, readOnly: true});
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** One block; it is drawn again only when its text changes, so that what is selected stays so. */
function Block({source, links}) {
  const place = useRef(null);
  useLayoutEffect(() => {
    place.current.replaceChildren(orPlain(() => elements(source, links), source));
  }, [source, language()]);
  return html`<div ref=${place} />`;
}

/** What can't be read as Markdown, such as 10,000 nested quotes, is shown as it is. */
function orPlain(make, source) {
  try {
    return make();
  } catch {
    return element("p", {className: "plain", textContent: source});
  }
}

/** @param {{text: string}} props all of the Markdown, also while it is still being written */
export function Markdown({text}) {
  const {blocks, links} = useMemo(() => split(text), [text]);
  return html`<div class="prose">
    ${blocks.map((source, place) => html`<${Block} key=${place} source=${source} links=${links} />`)}
  </div>`;
}

function split(text) {
  if (text.length > MOST_TEXT) return {blocks: [text], links: {}};
  try {
    const whole = lexer();
    const tokens = whole.blockTokens(text.replace(/\r\n?/g, "\n"), []);
    return {
      blocks: tokens.filter(({type}) => type !== "space" && type !== "def").map(({raw}) => raw),
      links: whole.tokens.links,
    };
  } catch {
    return {blocks: [text], links: {}};
  }
}
