/** What is loaded when it is shown, and what could not be. */

import {html, useEffect, useSignal} from "./html.js";
import {inWords, t} from "../state/words.js";

/** Why something could not be loaded. @param {{error: Error, retry: () => unknown}} props */
export const Failed = ({error, retry}) => html`
  <div class="load-failed" role="alert">
    <p>${t("load.failed")} ${inWords(error)}</p>
    <button type="button" onClick=${retry}>${t("load.retry")}</button>
  </div>`;

/**
 * What a component loads for itself.
 *
 * @returns {{value, state, reload}} `value`: a signal, null before; `state`: what to show until then
 */
export function useLoaded(load) {
  const value = useSignal(null);
  const error = useSignal(null);
  async function reload() {
    error.value = null;
    try {
      value.value = await load();
    } catch (problem) {
      error.value = problem;
    }
  }
  useEffect(() => void reload(), []);
  const state = error.value
    ? html`<${Failed} error=${error.value} retry=${reload} />`
    : value.value === null && html`<p class="hint">${t("chat.loading")}</p>`;
  return {value, state, reload};
}
