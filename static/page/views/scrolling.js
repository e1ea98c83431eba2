/**
 * Scrolling in a conversation: it follows the end until the user leaves it, and what is read stays
 * where it is whatever changes above or below. (`overflow-anchor` isn't in all browsers.)
 */

import {signal} from "../../vendor/signals.js";

const AT_END = 4; // pixels
const UP = new Set(["ArrowUp", "PageUp", "Home"]);
const DOWN = new Set(["ArrowDown", "PageDown", "End", " "]);
const TOP_GAP = 16; // pixels above a message that was just sent

export class Scrolling {
  /** Whether the end is followed. */
  isFollowing = signal(true);
  #box = null;
  #list = null;
  #top = 0; // where the box is scrolled to, as far as we know
  #anchor = null; // what is read: {id, offset}
  #isTurn = false; // whether the last message of the user has the top of the view
  #touch = 0;
  #observer = null;
  #observed = new WeakSet();
  #layOut;
  #onMove;

  /**
   * @param {object} options
   * @param {() => void} options.layOut makes room for what is not drawn; called before positions are read
   * @param {() => void} options.onMove called when another part may be seen
   */
  constructor({layOut, onMove}) {
    [this.#layOut, this.#onMove] = [layOut, onMove];
  }

  /** @param {{id: string, offset: number} | undefined} place where the user left it */
  attach(box, list, place) {
    [this.#box, this.#list] = [box, list];
    if (place) [this.#anchor, this.isFollowing.value] = [place, false];
    this.#observer = new ResizeObserver(() => this.hold());
    this.#observer.observe(box);
    this.#observer.observe(list);
    return () => this.#observer.disconnect();
  }

  /** Notice when a message changes its height: the list may stay as high as it was. */
  observe(element) {
    if (this.#observed.has(element)) return;
    this.#observed.add(element);
    this.#observer.observe(element);
  }

  /** Where the user is; null at the end. */
  get place() {
    return this.isFollowing.peek() ? null : this.#anchor;
  }

  get view() {
    return this.#box.clientHeight;
  }

  /** Pixels between the beginning of the list and the top of the view. */
  get top() {
    return this.#box.getBoundingClientRect().top - this.#list.getBoundingClientRect().top;
  }

  #end() {
    return this.#box.scrollHeight - this.#box.clientHeight;
  }

  #go(top) {
    this.#box.scrollTop = top;
    this.#top = this.#box.scrollTop;
  }

  toEnd() {
    this.isFollowing.value = true;
    this.hold();
  }

  /** The user has sent something: it goes to the top, and the reply comes below. */
  beginTurn() {
    this.#isTurn = true;
    this.toEnd();
  }

  /** Stay where the user is, whatever has changed. */
  hold() {
    if (!this.#box) return;
    this.#layOut();
    this.#reserve();
    if (this.isFollowing.peek()) this.#go(this.#end());
    else if (this.#anchor) {
      const element = this.#list.querySelector(`[data-id="${this.#anchor.id}"]`);
      if (!element) return; // it is about to be drawn
      const moved = this.#offset(element) - this.#anchor.offset;
      if (Math.abs(moved) >= 1) this.#go(this.#box.scrollTop + moved);
    }
    this.#onMove();
  }

  /** Room below the last message, so that the one before it can be at the top. */
  #reserve() {
    let room = 0;
    if (this.#isTurn) {
      const said = [...this.#list.querySelectorAll(":scope > .said")].at(-1);
      const last = this.#list.lastElementChild;
      if (said && last) {
        const used = last.getBoundingClientRect().bottom - said.getBoundingClientRect().top;
        const {paddingBottom} = getComputedStyle(this.#list.parentNode);
        room = this.#box.clientHeight - used - TOP_GAP - parseFloat(paddingBottom);
      }
    }
    this.#list.style.setProperty("--room", `${Math.max(0, Math.floor(room))}px`);
  }

  #offset(element) {
    return element.getBoundingClientRect().top - this.#box.getBoundingClientRect().top;
  }

  /** Remember what is at the top of the view. */
  #read() {
    this.#anchor = null;
    const {top} = this.#box.getBoundingClientRect();
    for (const element of this.#list.querySelectorAll(":scope > [data-id]")) {
      const {top: offset, bottom} = element.getBoundingClientRect();
      if (bottom <= top + 1) continue;
      this.#anchor = {id: element.dataset.id, offset: offset - top};
      return;
    }
  }

  #leave() {
    if (!this.isFollowing.peek() || this.#box.scrollTop <= 0) return;
    this.#read();
    this.isFollowing.value = false;
  }

  // What the user does

  onScroll = () => {
    const {scrollTop} = this.#box;
    const isAtEnd = this.#end() - scrollTop <= AT_END;
    if (scrollTop < this.#top - 1 && !isAtEnd) this.isFollowing.value = false;
    else if (scrollTop > this.#top && isAtEnd) this.isFollowing.value = true;
    const isOurs = Math.abs(scrollTop - this.#top) < 1; // what is read may have moved since
    this.#top = scrollTop;
    if (!isOurs) this.#read();
    this.hold();
  };

  /** A gesture towards one end. There is no event of scrolling where there is nothing left to scroll. */
  #gesture(isUp) {
    if (isUp) this.#leave();
    else if (this.#end() - this.#box.scrollTop <= AT_END) this.isFollowing.value = true;
  }

  onWheel = ({deltaY, ctrlKey}) => deltaY && !ctrlKey && this.#gesture(deltaY < 0);

  onTouchStart = event => (this.#touch = event.touches[0].clientY);

  onTouchMove = event => {
    const {clientY} = event.touches[0];
    if (Math.abs(clientY - this.#touch) < 2) return;
    this.#gesture(clientY > this.#touch);
    this.#touch = clientY;
  };

  onKeyDown = ({key, shiftKey, target}) => {
    if (target.closest("input, textarea, select, button, a, summary") && key === " ") return;
    if (UP.has(key) || (key === " " && shiftKey)) this.#gesture(true);
    else if (DOWN.has(key)) this.#gesture(false);
  };
}
