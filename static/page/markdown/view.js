/**
 * Incremental rendering of a growing text. Finished elements are not replaced: selection, focus, pressed
 * buttons and scroll positions survive, and the cost of a delta does not depend on the text's length.
 */

import {elements} from "./elements.js";
import {numbered} from "./footnotes.js";
import {normalizeLabel} from "./grammar.js";
import {drawn, morph, setAttributes} from "./morph.js";
import {definitions, split} from "./units.js";

const MAX_CHARACTERS = 400_000; // of a text; a longer one is shown as it is
const BATCH_CHARACTERS = 5_000; // that are rendered in one go, which takes a few milliseconds
const UNIT_CHARACTERS = 60; // that a unit costs besides
const BUDGET_MS = 8; // for rendering in one frame, for all texts together
const HIDDEN_MS = 100; // between two renderings in a tab that draws no frames
const REST = 3; // times as long as a rendering took is the pause after it, while the text grows
const CLOSES_FENCE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*$/m;
// What is read in another way when it is left open and nothing more will come.
const OPENS = /<[a-z]|\$\$|\\\[|```|~~~/i;
const LABEL = /\[([^[\]]{1,999})\]/g;

const waiting = new Set(); // views with unrendered text

/** Show all of all texts now, as for printing. */
export const flushAll = () => waiting.forEach(view => view.flush());

export class MarkdownView {
  #root;
  #text = "";
  #isOpen = false;
  #units = []; // each with `place`, the element that holds it, once it is rendered
  #frozen = {count: 0, references: {}, labels: []}; // what the final units define
  #env = {references: {}, footnotes: new Map()};
  #next = 0; // place of the first unit that may have to be rendered
  #cancel = null; // what is planned for the next frame
  #restsUntil = 0;
  #wanted = null;

  /** @param {Element} root its children are the view's */
  constructor(root) {
    this.#root = root;
  }

  /**
   * Show a text. Most of it is shown at once, the rest of a long one in the next frames.
   *
   * @param {string} text
   * @param {boolean} isOpen whether it is still being written
   */
  update(text, isOpen) {
    this.#wanted = {text: text.replace(/\r\n?/g, "\n"), isOpen};
    if (this.#cancel) return;
    if (isOpen && performance.now() < this.#restsUntil) this.#schedule();
    else this.#work(false);
  }

  /** Show all of it now, as for printing. */
  flush() {
    this.stop();
    do this.#work(true); while (this.#cancel);
  }

  /** Forget what was planned. */
  stop() {
    waiting.delete(this);
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule() {
    waiting.add(this);
    this.#cancel = nextFrame(() => {
      this.#cancel = null;
      if (this.#wanted?.isOpen && performance.now() < this.#restsUntil) this.#schedule();
      else this.#work(true);
    });
  }

  #work(isForced) {
    this.stop();
    const begun = performance.now();
    if (this.#wanted) this.#take(this.#wanted);
    this.#wanted = null;
    if (this.#render(isForced)) this.#schedule();
    this.#restsUntil = performance.now() + REST * (performance.now() - begun);
  }

  // What there is to show

  #take({text, isOpen}) {
    const isGrown = text.length >= this.#text.length && text.startsWith(this.#text);
    if (isGrown && isOpen && this.#appendCode(text)) return;
    if (text.length > MAX_CHARACTERS) this.#takePlain(text);
    else this.#takeUnits(text, isOpen, isGrown && this.#isOpen && isOpen);
    [this.#text, this.#isOpen] = [text, isOpen];
  }

  /** More of a block of code, which is most of some replies. */
  #appendCode(text) {
    const last = this.#units.at(-1);
    if (!last?.isOpenFence || !last.place || last.isStale) return false;
    const line = this.#text.lastIndexOf("\n") + 1;
    if (line <= last.start || CLOSES_FENCE.test(text.slice(line))) return false;
    const code = last.place.querySelector("code");
    const drawing = drawn.get(code);
    const shown = withoutIndentation(this.#text);
    if (!drawing || !shown.endsWith(drawing.source) || /[`~]/.test(text[line])) return false;
    drawing.update(drawing.source + withoutIndentation(text).slice(shown.length));
    last.source = text.slice(last.start);
    this.#text = text;
    return true;
  }

  #takePlain(text) {
    this.#setUnits(0, [{kind: "block", start: 0, source: text, isFirst: false, isPlain: true, head: ""}]);
  }

  /** Split what is new; all but the last two units are final while the text only grows. */
  #takeUnits(text, isOpen, isContinued) {
    const kept = isContinued ? Math.max(0, this.#units.length - 2) : 0;
    const from = kept > 0 ? this.#units[kept] : undefined;
    let found;
    try {
      found = split(text, from, isOpen);
    } catch {
      this.#takePlain(text);
      return;
    }
    if (from && found.units[0]) found.units[0].isFirst = from.isFirst;
    const isEnd = this.#isOpen && !isOpen;
    for (const unit of found.units) unit.isStale = isEnd && OPENS.test(unit.source);
    if (!isContinued) this.#frozen = {count: 0, references: {}, labels: []};
    this.#define(text, found, kept);
    this.#setUnits(kept, found.units);
  }

  /** Collect link and footnote definitions; units that reference a new one are rendered again. */
  #define(text, {units, references, labels}, kept) {
    for (; this.#frozen.count < kept; this.#frozen.count++) {
      const unit = this.#units[this.#frozen.count];
      if (!unit.source.includes("]:")) continue;
      const defined = definitions(unit);
      this.#frozen.references = {...defined.references, ...this.#frozen.references};
      this.#frozen.labels.push(...defined.labels);
    }
    const all = {...references, ...this.#frozen.references};
    const footnotes = numbered(text, new Set([...this.#frozen.labels, ...labels]));
    const before = this.#env;
    const changed = new Set([
      ...Object.keys(all).filter(key => before.references[key]?.href !== all[key].href),
      ...[...footnotes.keys()].filter(key => before.footnotes.get(key) !== footnotes.get(key))
        .map(key => normalizeLabel(`^${key}`)),
    ]);
    this.#env = {references: all, footnotes};
    if (!changed.size) return;
    for (const unit of [...this.#units.slice(0, kept), ...units]) {
      const labels = unit.source.matchAll(LABEL);
      for (const [, label] of labels) unit.isStale ||= changed.has(normalizeLabel(label));
    }
    this.#next = 0;
  }

  /** Take the units from a place on; one that begins where it began before keeps its element. */
  #setUnits(kept, fresh) {
    const old = this.#units.slice(kept);
    const byStart = new Map(old.map(unit => [unit.start, unit]));
    let isKept = true; // whether the unit before has its element, which an item of a list hangs on
    for (const unit of fresh) {
      const before = byStart.get(unit.start);
      isKept = before?.place && isAlike(before, unit) && (unit.isFirst || unit.kind === "block" || isKept);
      if (!isKept) continue;
      const {place, wrapper, isLast, isLoose, isLooseSoFar} = before;
      Object.assign(unit, {place, wrapper, isLast, isLoose, isLooseSoFar});
      unit.isStale ||= before.isStale || before.source !== unit.source || before.head !== unit.head;
      before.place = null;
    }
    for (const unit of old) if (unit.place) (hasWrapper(unit) ? unit.wrapper : unit.place).remove();
    this.#units = [...this.#units.slice(0, kept), ...fresh];
    for (const unit of this.#units.slice(kept)) {
      const isLast = unit === this.#units.at(-1);
      unit.isStale ||= unit.isLast !== undefined && unit.isLast !== isLast && OPENS.test(unit.source);
      unit.isLast = isLast;
    }
    this.#next = Math.min(this.#next, kept);
  }

  // Rendering

  /** Render what is not yet, as long as there is time for it; whether something is left. */
  #render(isForced) {
    for (let isLeft = isForced || isTimeLeft(); ; isLeft = isTimeLeft()) {
      const next = this.#next;
      const batch = this.#nextBatch();
      if (!batch.length) break;
      if (!isLeft) {
        this.#next = next;
        return true;
      }
      const units = batch.map(place => this.#units[place]);
      const drawings = elements(units, {...this.#env, isOpen: this.#isOpen});
      batch.forEach((place, number) => this.#show(place, drawings[number]));
    }
    if (!this.#isOpen) for (const code of this.#root.querySelectorAll("pre > code")) drawn.get(code)?.finish();
    return false;
  }

  /** Places of units that have to be rendered. */
  #nextBatch() {
    const batch = [];
    let characters = 0;
    for (; this.#next < this.#units.length && characters < BATCH_CHARACTERS; this.#next++) {
      const unit = this.#units[this.#next];
      if (unit.kind === "none" || (unit.place && !unit.isStale)) continue;
      batch.push(this.#next);
      characters += unit.source.length + UNIT_CHARACTERS;
    }
    return batch;
  }

  #show(place, {section, part, list}) {
    const unit = this.#units[place];
    unit.isStale = false;
    unit.isLoose = list?.classList.contains("loose") ?? false;
    if (unit.place) {
      if (list && unit.isFirst) setAttributes(unit.place.parentNode, list, ["start"]);
      morph(unit.place, part);
    } else {
      unit.place = part;
      this.#insert(place, section);
    }
    if (unit.kind === "item") this.#markLoose(place);
  }

  #insert(place, section) {
    const unit = this.#units[place];
    const before = this.#before(place);
    if (hasWrapper(unit)) {
      unit.wrapper = section;
      if (before) before.wrapper.after(section);
      else this.#root.prepend(section);
      return;
    }
    unit.wrapper = before.wrapper;
    if (before.kind === "head") bodyOf(before.place).prepend(unit.place);
    else before.place.after(unit.place);
  }

  /** The unit before one that has an element. */
  #before(place) {
    let at = place - 1;
    while (at >= 0 && !this.#units[at].place) at--;
    return this.#units[at];
  }

  /** A list is loose when there are blank lines between its items, or within one. */
  #markLoose(place) {
    for (let at = place; this.#units[at]?.place; at++) {
      const unit = this.#units[at];
      if (unit.kind !== "item" || (at > place && unit.isFirst)) return;
      const before = unit.isFirst ? null : this.#units[at - 1];
      unit.isLooseSoFar = unit.isLoose || (before && (before.isLooseSoFar || /\n[ \t]*\n[ \t]*$/.test(before.source)));
      unit.place.parentNode.classList.toggle("loose", unit.isLooseSoFar);
    }
  }
}

/** The parser leaves out a last line that has nothing but spaces so far. */
const withoutIndentation = text => text.replace(/\n[ \t]+$/, "\n");

const isAlike = (one, other) =>
  one.kind === other.kind && one.isFirst === other.isFirst && one.tag === other.tag;

/** Whether a unit's wrapper, a child of the root, is its own; else it is in that of the unit before. */
const hasWrapper = ({kind, isFirst}) => kind === "block" || isFirst;

function bodyOf(head) {
  const table = head.closest("table");
  return table.tBodies[0] ?? table.createTBody();
}

// Frames

let deadline = 0; // of the frame that is being made; 0 if nothing was rendered for it

function isTimeLeft() {
  const now = performance.now();
  if (!deadline) {
    deadline = now + BUDGET_MS;
    nextFrame(() => (deadline = 0));
  }
  return now < deadline;
}

/** Call soon, before the next frame is drawn; a hidden tab draws none. */
function nextFrame(act) {
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    act();
  };
  requestAnimationFrame(once);
  const timer = document.hidden ? setTimeout(once, HIDDEN_MS) : 0;
  return () => {
    isDone = true;
    clearTimeout(timer);
  };
}
