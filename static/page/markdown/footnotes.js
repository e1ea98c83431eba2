/** Footnotes: `text[^1]`, and `[^1]: note`, which is shown where it stands. */

const DEFINITION = /^\[\^([^\s\][^]+)\]:/;
const REFERENCE = /\[\^([^\s\][^]+)\]/y;

export function addFootnotes(markdown) {
  markdown.block.ruler.before("reference", "footnote", definition, {alt: ["paragraph", "reference"]});
  markdown.inline.ruler.before("link", "footnote", reference);
  markdown.renderer.rules.footnote_open = (tokens, place, options, env) =>
    `<div class="footnote"><sup>${env.footnotes?.get(tokens[place].meta.label) ?? ""}</sup>`;
  markdown.renderer.rules.footnote_close = () => "</div>";
  markdown.renderer.rules.footnote_reference = (tokens, place) =>
    `<sup class="footnote-reference">${tokens[place].content}</sup>`;
}

/** `[^label]: text`, and the lines below that are indented. */
function definition(state, startLine, endLine, silent) {
  if (state.sCount[startLine] - state.blkIndent >= 4) return false;
  const start = state.bMarks[startLine] + state.tShift[startLine];
  const found = DEFINITION.exec(state.src.slice(start, state.eMarks[startLine]));
  if (!found) return false;
  if (silent) return true;

  const open = state.push("footnote_open", "div", 1);
  open.meta = {label: found[1]};
  open.map = [startLine, 0];
  const kept = {
    bMark: state.bMarks[startLine], tShift: state.tShift[startLine], sCount: state.sCount[startLine],
    parentType: state.parentType, blkIndent: state.blkIndent,
  };
  const text = start + found[0].length;
  const spaces = /^[ \t]*/.exec(state.src.slice(text, state.eMarks[startLine]))[0].length;
  state.bMarks[startLine] = text;
  state.tShift[startLine] = spaces;
  state.blkIndent += 2;
  state.sCount[startLine] = state.blkIndent;
  state.parentType = "footnote";
  state.md.block.tokenize(state, startLine, endLine);
  state.parentType = kept.parentType;
  state.blkIndent = kept.blkIndent;
  state.bMarks[startLine] = kept.bMark;
  state.tShift[startLine] = kept.tShift;
  state.sCount[startLine] = kept.sCount;
  open.map[1] = state.line;
  state.push("footnote_close", "div", -1);
  return true;
}

/** `[^label]`, where there is a definition for it. */
function reference(state, silent) {
  REFERENCE.lastIndex = state.pos;
  const found = state.src[state.pos] === "[" && REFERENCE.exec(state.src);
  const number = found && state.env.footnotes?.get(found[1]);
  if (!number) return false;
  if (!silent) state.push("footnote_reference", "sup", 0).content = String(number);
  state.pos = REFERENCE.lastIndex;
  return true;
}

/** Number the notes in the order in which the text refers to them. */
export function numbered(text, labels) {
  const numbers = new Map();
  if (!labels.size) return numbers;
  for (const [, label] of text.matchAll(/\[\^([^\s\][^]+)\](?!:)/g)) {
    if (labels.has(label) && !numbers.has(label)) numbers.set(label, numbers.size + 1);
  }
  for (const label of labels) if (!numbers.has(label)) numbers.set(label, numbers.size + 1);
  return numbers;
}
