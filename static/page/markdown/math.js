/**
 * Mathematics: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`. The source is kept as it was written; `typeset`
 * draws it as MathML.
 */

import DOMPurify from "../../vendor/purify.js";

const DISPLAY = [["$$", "$$"], ["\\[", "\\]"]];
const INLINE = [["\\(", "\\)"], ...DISPLAY];
const PRICE = /^\d[\d.,]*\s+[a-z]{2,}/i; // "$20 million or 30$"

export function addMath(markdown) {
  const alt = ["paragraph", "reference", "blockquote", "list"];
  markdown.block.ruler.before("fence", "math", block, {alt});
  markdown.inline.ruler.before("escape", "math", inline);
  const {escapeHtml} = markdown.utils;
  markdown.renderer.rules.math_block = (tokens, place) =>
    `<p class="formula"><code class="math">${escapeHtml(tokens[place].content)}</code></p>`;
  markdown.renderer.rules.math = (tokens, place) =>
    `<code class="math">${escapeHtml(tokens[place].content)}</code>`;
}

/** A formula that has its lines for itself; without a blank line in it. */
function block(state, startLine, endLine, silent) {
  if (state.sCount[startLine] - state.blkIndent >= 4) return false;
  const text = number => state.src.slice(state.bMarks[number] + state.tShift[number], state.eMarks[number]).trimEnd();
  const [opening, closing] = DISPLAY.find(([mark]) => text(startLine).startsWith(mark)) ?? [];
  if (!opening) return false;
  let line = startLine;
  let rest = text(line).slice(2);
  while (!rest.endsWith(closing) || isEscaped(rest, rest.length - 2)) {
    if (rest.includes(closing)) return false; // something follows it
    line++;
    if (line >= endLine || state.isEmpty(line) || state.sCount[line] < state.blkIndent) {
      if (!state.env.isOpen || line < endLine) return false;
      line--;
      break;
    }
    rest = text(line);
  }
  const content = state.getLines(startLine, line + 1, state.blkIndent, false).trim();
  const inner = content.slice(2, content.endsWith(closing) ? -2 : undefined);
  if (!inner.trim() && !state.env.isOpen) return false;
  if (inner.includes(closing)) return false; // such as `$$a$$ and $$b$$`
  if (silent) return true;
  state.line = line + 1;
  const token = state.push("math_block", "p", 0);
  token.map = [startLine, state.line];
  token.content = content;
  return true;
}

function inline(state, silent) {
  const end = endOfInline(state);
  if (!end) return false;
  if (!silent) state.push("math", "code", 0).content = state.src.slice(state.pos, end);
  state.pos = end;
  return true;
}

function endOfInline(state) {
  const {src, pos, posMax} = state;
  if (src[pos] !== "$" && src[pos] !== "\\") return 0;
  if (src.startsWith("\\[", pos) && /[\w)]/.test(src[pos - 1] ?? "")) return 0; // such as `list\[0\]`
  for (const [opening, closing] of INLINE) {
    if (!src.startsWith(opening, pos)) continue;
    const missing = (state.unclosed ??= new Set()); // so that it is looked for once
    if (missing.has(closing)) return 0;
    let end = src.indexOf(closing, pos + 2);
    while (end > 0 && isEscaped(src, end)) end = src.indexOf(closing, end + 1);
    if (end < 0 || end + 2 > posMax) missing.add(closing);
    else if (src.slice(pos + 2, end).trim()) return end + 2;
    return 0;
  }
  return src[pos] === "$" ? endOfDollar(src, pos, posMax) : 0;
}

/** As Pandoc has it, so that prices are none: no space inside, no letter or digit outside. A path is none, either. */
function endOfDollar(src, pos, posMax) {
  if (/[\w$\\/]/.test(src[pos - 1] ?? "") || /[\s$]/.test(src[pos + 1] ?? " ")) return 0;
  let end = src.indexOf("$", pos + 1);
  while (end > 0 && isEscaped(src, end)) end = src.indexOf("$", end + 1);
  if (end < 0 || end >= posMax || /\s/.test(src[end - 1]) || /[\w$]/.test(src[end + 1] ?? "")) return 0;
  const content = src.slice(pos + 1, end);
  return PRICE.test(content) || /`/.test(content) ? 0 : end + 1;
}

function isEscaped(text, place) {
  let slashes = 0;
  while (text[place - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

// Drawing

let library; // comes with the first formula

const MATHML = {
  USE_PROFILES: {mathMl: true},
  ADD_TAGS: ["semantics"],
  FORBID_TAGS: ["annotation", "annotation-xml", "maction", "style"],
  FORBID_ATTR: ["href", "style", "id", "name"],
  ADD_ATTR: ["class", "columnalign", "data-css"],
  RETURN_DOM_FRAGMENT: true,
};
const STYLES = /^(?:color|background-color|padding|padding-(?:left|right|top|bottom)|border|border-(?:left|right|top|bottom))$/;

/** The formula between its delimiters, and whether it is displayed on its own line. */
export function formula(source) {
  const isDollar = !source.startsWith("$$") && source.startsWith("$");
  const width = isDollar ? 1 : 2;
  return {tex: source.slice(width, -width), isDisplay: DISPLAY.some(([mark]) => source.startsWith(mark))};
}

/** The MathML element for a formula; null for one that can't be read, which is shown as it was written. */
export async function typeset(source) {
  library ??= import("../../vendor/temml.js");
  const {default: temml} = await library;
  const {tex, isDisplay} = formula(source);
  let markup;
  try {
    markup = temml.renderToString(tex, {displayMode: isDisplay, throwOnError: true, trust: false, maxExpand: 1_000});
  } catch {
    return null;
  }
  const fragment = DOMPurify.sanitize(markup.replaceAll(' style="', ' data-css="'), MATHML);
  for (const element of fragment.querySelectorAll("[data-css]")) setStyles(element);
  return fragment.querySelector("math");
}

/** Styles in the markup would break the page's policy (CSP); those that are set by script don't. */
function setStyles(element) {
  for (const rule of element.dataset.css.split(";")) {
    const [name, value] = rule.split(":").map(part => part.trim());
    if (STYLES.test(name)) element.style.setProperty(name, value);
  }
  delete element.dataset.css;
}
