/**
 * The supported Markdown: CommonMark with GitHub's tables, strikethrough and task lists, and common
 * extensions that models and people use. Line breaks are preserved.
 *
 * The output is HTML with a few harmless elements. It is still sanitized before it is displayed.
 */

import MarkdownIt from "../../vendor/markdown-it.js";
import {addFootnotes} from "./footnotes.js";
import {addHtmlTags} from "./html_tags.js";
import {addLinks} from "./links.js";
import {addLists} from "./lists.js";
import {addMath} from "./math.js";
import {nestedFence} from "./fences.js";

const MAX_INLINE_CHARACTERS = 20_000; // of a paragraph; a longer one is shown as plain text
const MAX_NESTING = 60; // levels; the parser drops what is nested more deeply

const markdown = new MarkdownIt({html: true, breaks: true, maxNesting: MAX_NESTING + 2});
const {escapeHtml} = markdown.utils;

addHtmlTags(markdown);
addLinks(markdown);
addLists(markdown);
addMath(markdown);
addFootnotes(markdown);
markdown.block.ruler.at("fence", nestedFence, {alt: ["paragraph", "reference", "blockquote", "list"]});

// Bold text beside full-width punctuation: `**注意：**正文`. Where CommonMark wants white space or
// punctuation beyond a marker, a Chinese, Japanese or Korean character will do.
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef]/u;

const StateInline = markdown.inline.State;

class WideState extends StateInline {
  scanDelims(start, canSplitWord) {
    const found = super.scanDelims(start, canSplitWord);
    if (!canSplitWord) return found;
    const {src} = this;
    const before = start > 0 ? String.fromCodePoint(codePointBefore(src, start)) : " ";
    const end = start + found.length;
    const after = end < this.posMax ? String.fromCodePoint(src.codePointAt(end)) : " ";
    return {
      ...found,
      can_open: found.can_open || (CJK.test(before) && /\S/u.test(after)),
      can_close: found.can_close || (CJK.test(after) && /\S/u.test(before)),
    };
  }
}

function codePointBefore(text, place) {
  const isPair = place > 1 && /[\udc00-\udfff]/.test(text[place - 1]) && /[\ud800-\udbff]/.test(text[place - 2]);
  return text.codePointAt(place - (isPair ? 2 : 1));
}

markdown.inline.State = WideState;

// Some paragraphs take quadratic time, such as 100,000 brackets.
const parseInline = markdown.inline.parse;
markdown.inline.parse = function parse(source, md, env, tokens) {
  if (source.length <= MAX_INLINE_CHARACTERS) parseInline.call(this, source, md, env, tokens);
  else tokens.push(Object.assign(new MarkdownIt.Token("text", "", 0), {content: source}));
};

// `style` would break the page's policy (CSP).
markdown.core.ruler.push("alignment", ({tokens}) => {
  for (const token of tokens) {
    const style = token.attrGet("style");
    if (!style) continue;
    token.attrs = token.attrs.filter(([name]) => name !== "style");
    token.attrSet("align", style.replace("text-align:", ""));
  }
});

markdown.renderer.rules.fence = markdown.renderer.rules.code_block = (tokens, place) => {
  const {content, info} = tokens[place];
  const [language] = markdown.utils.unescapeAll(info).trim().split(/\s+/);
  const attribute = language ? ` class="language-${escapeHtml(language)}"` : "";
  return `<pre><code${attribute}>${escapeHtml(content)}</code></pre>`;
};

/** The block tokens of Markdown, without what is in its paragraphs. */
export function blockTokens(source, env) {
  const tokens = [];
  markdown.block.parse(source, markdown, env, tokens);
  return tokens;
}

/**
 * HTML for a piece of Markdown.
 *
 * @param {string} source
 * @param {object} env
 * @param {object} env.references the link definitions of the whole text
 * @param {Map<string, number>} env.footnotes numbers, by label
 * @throws {RangeError} when it is nested too deeply
 */
export function render(source, env) {
  const tokens = markdown.parse(source, env);
  if (tokens.some(({level}) => level > MAX_NESTING)) throw new RangeError("nested too deeply");
  return markdown.renderer.render(tokens, markdown.options, env);
}

export {escapeHtml};
export const normalizeLabel = markdown.utils.normalizeReference;
