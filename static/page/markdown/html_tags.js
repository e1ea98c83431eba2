/** Harmless tags of HTML work; all others are shown as they were written. */

const HARMLESS = new Set(("abbr b bdi blockquote br caption center cite code dd del details dfn div dl dt em h1 h2 h3"
  + " h4 h5 h6 hr i ins kbd li mark ol p pre q rp rt ruby s samp small span strike strong sub summary sup table"
  + " tbody td tfoot th thead tr tt u ul var wbr").split(" "));
// Those that may hold blocks of Markdown; all others are closed in the block that opens them.
const HOLDING = new Set("blockquote center dd details div dl dt li ol summary ul".split(" "));
const VOID = new Set(["br", "hr", "wbr"]);
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*)?)\/?>/giu;
const ATTRIBUTES = [
  [/\salign\s*=\s*["']?(left|center|right)\b/i, "align"],
  [/\s(?:colspan)\s*=\s*["']?(\d{1,2})\b/i, "colspan"],
  [/\s(?:rowspan)\s*=\s*["']?(\d{1,2})\b/i, "rowspan"],
  [/\sstart\s*=\s*["']?(\d{1,6})\b/i, "start"],
  [/\sdir\s*=\s*["']?(auto|ltr|rtl)\b/i, "dir"],
  [/\s(open)(?=[\s=]|$)/i, "open"],
];

export function addHtmlTags(markdown) {
  const {escapeHtml} = markdown.utils;
  markdown.core.ruler.after("inline", "html_tags", ({tokens, env}) => {
    pair(tokens, env.isOpen);
    for (const {type, children} of tokens) if (type === "inline") pair(children);
  });
  const written = ({content, meta}) => {
    const pieces = meta?.pieces ?? [{text: content}];
    return pieces.map(({tag, isPaired, text}) => (isPaired ? tag : escapeHtml(text))).join("");
  };
  markdown.renderer.rules.html_inline = (tokens, place) => written(tokens[place]);
  markdown.renderer.rules.html_block = (tokens, place) => {
    const token = tokens[place];
    const isText = !token.meta?.pieces.some(({isPaired}) => isPaired);
    return isText ? `<p class="plain" dir="auto">${escapeHtml(token.content.trimEnd())}</p>` : written(token);
  };
}

/** Split a piece of HTML at the tags that are harmless. */
function pieces(html) {
  const all = [];
  let done = 0;
  for (const found of html.matchAll(TAG)) {
    const [text, slash, written, attributes] = found;
    const name = written.toLowerCase();
    if (!HARMLESS.has(name)) continue;
    if (found.index > done) all.push({text: html.slice(done, found.index)});
    const isVoid = VOID.has(name);
    const kept = slash ? "" : ATTRIBUTES
      .map(([pattern, key]) => [key, pattern.exec(attributes)?.[1]])
      .filter(([, value]) => value)
      .map(([key, value]) => ` ${key}="${value.toLowerCase()}"`).join("");
    all.push({text, name, isClosing: slash !== "", isPaired: isVoid && !slash, isVoid, tag: `<${slash}${name}${kept}>`});
    done = found.index + text.length;
  }
  if (done < html.length) all.push({text: html.slice(done)});
  return all;
}

/**
 * Find the tags that belong together; the others are shown as text. While the text is being written,
 * one that is open may be closed later.
 *
 * @returns {number[][]} the places of the first and the last token of each pair that is in two tokens
 */
export function pair(tokens, isOpen = false) {
  let open = [];
  let counts = new Map(); // of the tags that are open, by name
  const count = (name, by) => counts.set(name, (counts.get(name) ?? 0) + by);
  const keep = isKept => {
    const kept = open.filter(isKept);
    if (kept.length === open.length) return;
    open = kept;
    counts = new Map();
    for (const {piece} of open) count(piece.name, 1);
  };
  const spans = [];
  tokens.forEach((token, place) => {
    const {type, level, nesting} = token;
    if (nesting === -1 && open.length) keep(tag => tag.level <= level);
    if (type !== "html_block" && type !== "html_inline") return;
    token.meta = {...token.meta, pieces: pieces(token.content)};
    for (const piece of token.meta.pieces) {
      if (!piece.name || piece.isVoid) continue;
      if (!piece.isClosing) {
        open.push({piece, place, level});
        count(piece.name, 1);
      } else if (counts.get(piece.name)) {
        let left;
        do {
          left = open.pop();
          count(left.piece.name, -1);
        } while (left.piece.name !== piece.name);
        left.piece.isPaired = piece.isPaired = true;
        if (left.place < place) spans.push([left.place, place]);
      }
    }
    if (type === "html_block") keep(({piece}) => HOLDING.has(piece.name));
  });
  for (const {piece, place} of isOpen ? open : []) {
    piece.isPaired = true;
    spans.push([place, Infinity]);
  }
  return spans;
}
