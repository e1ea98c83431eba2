/**
 * The parts of a text that are drawn one by one: blocks, the items of a list, the rows of a table.
 * All but the last two of a text that grows are final: what comes later can't change them.
 */

import {blockTokens} from "./grammar.js";
import {pair} from "./html_tags.js";

/**
 * @typedef {object} Unit
 * @property {"block" | "item" | "head" | "row" | "none"} kind
 * @property {number} start where its source begins in the text
 * @property {string} source up to the next unit, with the blank lines between them
 * @property {boolean} isFirst whether a list or a table begins with it
 * @property {string} head for a row: the source of the table's head
 * @property {boolean} isOpenFence whether it is code at the left edge whose end has not come
 */

/**
 * Split a text, from one of its units on.
 *
 * @param {string} text
 * @param {Unit} [from] a unit that is final; the first one if it isn't given
 * @param {boolean} isOpen whether the text is still being written
 * @returns {{units: Unit[], references: object, labels: string[]}} and the definitions of links and
 *   the labels of footnotes that are in them
 */
export function split(text, from, isOpen) {
  const start = from?.start ?? 0;
  const head = from?.kind === "row" ? from.head : "";
  const source = head + text.slice(start);
  const env = {references: {}, isOpen};
  const tokens = blockTokens(source, env);
  const starts = lineStarts(source);
  const units = [];
  const labels = tokens.filter(({type}) => type === "footnote_open").map(({meta}) => meta.label);
  const add = (kind, [line, end], rest = {}) =>
    units.push({kind, start: start + starts[line] - head.length, isFirst: false, head: "", end, ...rest});
  for (const {token, inner, map} of topTokens(tokens, isOpen)) {
    if (map) add("block", map);
    else if (token.type === "bullet_list_open" || token.type === "ordered_list_open") addItems(token, inner, add);
    else if (token.type === "table_open") addRows(inner, add, source, starts);
    else if (token.type === "reference_definition") add("none", token.map);
    else add("block", token.map, {isOpenFence: token.meta?.isClosed === false && isPlainFence(token)});
  }
  if (head) units.shift();
  if (!from && units.length) units[0].start = 0;
  units.forEach((unit, place) => (unit.source = text.slice(unit.start, units[place + 1]?.start)));
  return {units, references: env.references, labels};
}

const isPlainFence = ({content, info}) => !/^(?:markdown|md|mdx|qmd|rmd)\b/i.test(info.trim()) || content === "";

function lineStarts(source) {
  const starts = [0];
  for (let place = source.indexOf("\n"); place >= 0; place = source.indexOf("\n", place + 1)) starts.push(place + 1);
  return starts;
}

/** The blocks at the left edge, with the tokens within; HTML that holds blocks is one with them. */
function topTokens(tokens, isOpen) {
  const tops = [];
  for (const token of tokens) {
    if (token.level === 0 && token.nesting >= 0) tops.push({token, inner: []});
    else tops.at(-1)?.inner.push(token);
  }
  const spans = pair(tops.map(({token}) => token), isOpen).sort(([one], [other]) => one - other);
  const joined = [];
  let next = 0;
  for (const [first, last] of spans) {
    if (first < next) continue; // within the one before
    const {token} = tops[first];
    const end = Math.min(last, tops.length - 1);
    joined.push(...tops.slice(next, first), {token, inner: [], map: [token.map[0], tops[end].token.map[1]]});
    next = end + 1;
  }
  return [...joined, ...tops.slice(next)];
}

/** The definitions of links, and the labels of footnotes, in one unit. */
export function definitions({source, head}) {
  const env = {references: {}};
  const tokens = blockTokens(head + source, env);
  const labels = tokens.filter(({type}) => type === "footnote_open").map(({meta}) => meta.label);
  return {references: env.references, labels};
}

function addItems(list, inner, add) {
  inner.filter(({type, level}) => type === "list_item_open" && level === 1)
    .forEach(({map}, place) => add("item", map, {isFirst: place === 0, tag: list.tag}));
}

function addRows(inner, add, source, starts) {
  const rows = inner.filter(({type}) => type === "tr_open");
  const line = rows[0].map[0];
  const head = source.slice(starts[line], starts[line + 2] ?? source.length);
  add("head", rows[0].map, {isFirst: true});
  for (const {map} of rows.slice(1)) add("row", map, {head: head.endsWith("\n") ? head : `${head}\n`});
}
