/** Which messages of a long conversation are in the document: those near the view. */

import {signal} from "../../vendor/signals.js";

const LEAST = 40; // messages that are drawn, also where fewer fill the view
const GUESS = 180; // pixels of a message that was not measured, until some are

export class MessageWindow {
  /** Places of the first message that is drawn, and of the one after the last. */
  range = signal({from: 0, to: 0});
  #ids = [];
  #heights = new Map(); // pixels with the gap, by id
  #measured = 0;

  /** Take the ids of all messages, as they are now; `centre` is the one that is read at the beginning. */
  setIds(ids, centre) {
    const before = this.#ids;
    const {from, to} = this.range.peek();
    this.#ids = ids;
    if (!before.length) {
      const at = ids.indexOf(centre);
      this.#set(at < 0 ? ids.length - LEAST : at - LEAST / 2, at < 0 ? ids.length : at + LEAST / 2);
      return;
    }
    const shift = before[from] === ids[from] ? 0 : ids.indexOf(before[from]) - from;
    const isToEnd = to >= before.length;
    this.#set(from + Math.max(0, shift), isToEnd ? ids.length : to + Math.max(0, shift));
  }

  #set(from, to) {
    const range = {from: Math.max(0, Math.min(from, this.#ids.length)), to: Math.min(this.#ids.length, to)};
    const {from: oldFrom, to: oldTo} = this.range.peek();
    if (range.from !== oldFrom || range.to !== oldTo) this.range.value = range;
  }

  /** Note how high a message is. */
  measure(id, height) {
    this.#measured += height - (this.#heights.get(id) ?? 0);
    this.#heights.set(id, height);
  }

  #height(id) {
    return this.#heights.get(id) ?? (this.#heights.size ? this.#measured / this.#heights.size : GUESS);
  }

  /** Pixels that the messages from one place to another take. */
  height(from, to) {
    let sum = 0;
    for (let place = from; place < to; place++) sum += this.#height(this.#ids[place]);
    return sum;
  }

  /**
   * Draw the messages within one viewport of a range; remove the others.
   *
   * @param {number} top pixels from the first message
   * @param {number} view height of the view
   * @param {boolean} isKeeping whether no message may be removed, for example during a selection
   */
  show(top, view, isKeeping) {
    const {from, to} = this.range.peek();
    const start = this.#at(top - view / 2);
    const end = this.#at(top + view * 1.5) + 1;
    if (from <= start && to >= end && (isKeeping || to - from <= 3 * (end - start) + 2 * LEAST)) return;
    const [first, last] = [this.#at(top - view), this.#at(top + view * 2) + 1];
    const more = Math.max(0, Math.ceil((LEAST - (last - first)) / 2));
    const wanted = {from: Math.min(first - more, this.#ids.length - LEAST), to: Math.max(last + more, LEAST)};
    if (isKeeping) this.#set(Math.min(from, wanted.from), Math.max(to, wanted.to));
    else this.#set(wanted.from, wanted.to);
  }

  /** The place of the message at so many pixels. */
  #at(pixels) {
    let left = pixels;
    let place = 0;
    while (place < this.#ids.length - 1 && left >= this.#height(this.#ids[place])) {
      left -= this.#height(this.#ids[place]);
      place++;
    }
    return place;
  }

  /** Draw a message and its neighbours. */
  centre(id) {
    const at = this.#ids.indexOf(id);
    if (at >= 0) this.#set(at - LEAST / 2, at + LEAST / 2);
  }

  /** Draw all messages, whose ids these are. */
  showAll(ids) {
    this.setIds(ids);
    this.#set(0, ids.length);
  }

  /** Draw the end, and what is in the view before it. */
  showEnd(view) {
    let from = this.#ids.length;
    for (let left = view * 2; from > 0 && left > 0; from--) left -= this.#height(this.#ids[from - 1]);
    const wanted = Math.min(from, this.#ids.length - LEAST);
    const {from: drawn, to} = this.range.peek();
    const isFar = drawn > wanted || drawn < wanted - LEAST || to < this.#ids.length; // else it is left as it is
    if (isFar) this.#set(wanted, this.#ids.length);
  }
}
