/** Text that arrives in jumps, shown at an even pace. */

import {useEffect, useRef, useSignal} from "./html.js";

const CATCH_UP_MS = 120; // in which two thirds of what is left appear
const LEAST = 2; // characters of a frame

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const isStill = () => reducedMotion.matches || document.hidden;

/**
 * The part of a text that is shown now.
 *
 * @param {string} text that grows
 * @param {boolean} isNew whether it has just begun; else what is there is shown at once
 */
export function usePace(text, isNew) {
  const shown = useSignal(isNew && !isStill() ? 0 : text.length);
  const pace = useRef({frame: 0, text}).current;
  pace.text = text;
  useEffect(() => {
    if (shown.value > text.length) shown.value = text.length; // the text was restarted
    if (!pace.frame && shown.value < text.length) run(pace, shown);
  }, [text]);
  useEffect(() => () => cancelAnimationFrame(pace.frame), []);
  return text.slice(0, isStill() ? undefined : shown.value);
}

function run(pace, shown) {
  let before = performance.now();
  const step = now => {
    const {text} = pace;
    const left = text.length - shown.value;
    const share = isStill() ? 1 : 1 - Math.exp((before - now) / CATCH_UP_MS);
    before = now;
    let next = Math.min(text.length, shown.value + Math.max(LEAST, Math.ceil(left * share)));
    if (/[\udc00-\udfff]/.test(text[next] ?? "")) next++; // not in the middle of a character
    shown.value = next;
    pace.frame = next < text.length ? requestAnimationFrame(step) : 0;
  };
  pace.frame = requestAnimationFrame(step);
}
