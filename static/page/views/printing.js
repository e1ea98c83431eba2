/** Printing a conversation: all of its messages, in light colours. */

import {options} from "../../vendor/preact.js";
import {flushAll} from "../markdown/view.js";
import {tellError} from "../state/notices.js";

/**
 * Prepare a conversation when it is printed.
 *
 * @param {object} conversation
 * @param {() => Promise<void>} conversation.load loads all messages
 * @param {() => void} conversation.draw draws all that are loaded
 * @param {() => void} conversation.end called after it
 * @returns {() => void} stops that
 */
export function onPrinting({load, draw, end}) {
  let theme = null;
  const prepare = () => {
    const later = options.debounceRendering;
    options.debounceRendering = render => render(); // the browser doesn't wait
    draw();
    options.debounceRendering = later;
    flushAll();
    const {dataset} = document.documentElement;
    [theme, dataset.theme] = [dataset.theme, "light"];
  };
  const restore = () => {
    if (theme) document.documentElement.dataset.theme = theme;
    theme = null;
    end();
  };
  // The browser's own command prints what is loaded; so does its menu, which nothing can wait for.
  const press = async event => {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isCommand || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    await load().catch(tellError);
    print();
  };
  addEventListener("beforeprint", prepare);
  addEventListener("afterprint", restore);
  addEventListener("keydown", press);
  return () => {
    removeEventListener("beforeprint", prepare);
    removeEventListener("afterprint", restore);
    removeEventListener("keydown", press);
  };
}
