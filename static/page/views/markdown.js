/** Markdown in a component. */

import {html, useLayoutEffect, useRef} from "./html.js";
import {MarkdownView} from "../markdown/view.js";
import {language} from "../state/words.js";

/**
 * @param {object} props
 * @param {string} props.text all of the Markdown
 * @param {boolean} props.isOpen whether it is still being written
 */
export function Markdown({text, isOpen}) {
  const place = useRef(null);
  const view = useRef(null);
  const words = language();
  useLayoutEffect(() => { // labels of buttons are in the page's language
    place.current.replaceChildren();
    view.current = new MarkdownView(place.current);
    const {current} = view;
    return () => current.stop();
  }, [words]);
  useLayoutEffect(() => view.current.update(text, isOpen), [text, isOpen, words]);
  return html`<div ref=${place} class="prose" />`;
}
