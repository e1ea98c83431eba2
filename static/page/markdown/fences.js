/** Fenced code. A block of Markdown may hold blocks of code, although both have the same fence. */

const OPENING = /^(`{3,}|~{3,})[ \t]*(.*)$/;
const NESTING = /^(?:markdown|md|mdx|qmd|rmd)$/i; // languages that have fences of their own

/** The text of a line, without the indentation of what it is in. */
const line = (state, number) =>
  state.src.slice(state.bMarks[number] + state.tShift[number], state.eMarks[number]);

const indentation = (state, number) => state.sCount[number] - state.blkIndent;

/** The rule `fence` of markdown-it. */
export function nestedFence(state, startLine, endLine, silent) {
  if (indentation(state, startLine) >= 4) return false;
  const [, fence, info] = OPENING.exec(line(state, startLine)) ?? [];
  if (!fence || (fence[0] === "`" && info.includes("`"))) return false;
  if (silent) return true;

  const last = end(state, startLine, endLine, fence);
  let found = last;
  if (NESTING.test(info.trim().split(/\s/)[0])) {
    const outer = end(state, startLine, endLine, fence, true);
    // A nested fence that is never closed was not nested. It may still be closed while text arrives.
    if (outer.isClosed || state.env.isOpen) found = outer;
  }
  state.line = found.line + (found.isClosed ? 1 : 0);
  const token = state.push("fence", "code", 0);
  token.info = info;
  token.content = state.getLines(startLine + 1, found.line, state.sCount[startLine], true);
  token.markup = fence;
  token.map = [startLine, state.line];
  token.meta = {isClosed: found.isClosed};
  return true;
}

/** The line of the closing fence, or where the block ends without one. */
function end(state, startLine, endLine, fence, isNesting = false) {
  let depth = 1;
  for (let number = startLine + 1; number < endLine; number++) {
    if (!state.isEmpty(number) && indentation(state, number) < 0) return {line: number, isClosed: false};
    const [, other, info] = OPENING.exec(line(state, number)) ?? [];
    if (!other || other[0] !== fence[0]) continue;
    if (isNesting && info && !info.includes("`")) depth++;
    else if (!info && indentation(state, number) < 4 && (depth > 1 || other.length >= fence.length)) {
      depth--;
      if (depth === 0) return {line: number, isClosed: true};
    }
  }
  return {line: endLine, isClosed: false};
}
