/** Forms: fields with labels and error messages. */

import {html, useId, useRef, useSignal} from "./html.js";
import {inWords, t} from "../state/words.js";

/** A labelled control. `hint` and `problem` are read out with it; `note` stands beside the label. */
export function Field({label, hint, note, problem, as = "input", children, ...properties}) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  return html`
    <div class="field">
      <div class="field-head"><label for=${id}>${label}</label>${note}</div>
      <${as} id=${id} aria-describedby=${described} aria-invalid=${problem ? "true" : undefined} ...${properties}>${children}<//>
      ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
      ${note && html`<div role="alert" id=${`${id}-problem`}>${problem}</div>`}
    </div>`;
}

/** A checkbox with its label. */
export const Check = ({label, ...properties}) => html`
  <label class="check"><input type="checkbox" ...${properties} /> <span>${label}</span></label>`;

/**
 * A form that is sent by `send`, which gets its fields by name and the form. One that is being sent is
 * not sent again; an error is said in words, and nothing that was typed is lost. `beside` stands beside
 * the button.
 */
export function Form({send, label, done, beside, children, ...properties}) {
  const state = useSignal({});
  const place = useRef(null);
  async function submit(event) {
    event.preventDefault();
    if (state.value.isSending) return;
    state.value = {isSending: true};
    try {
      await send(Object.fromEntries(new FormData(place.current)), place.current);
      state.value = {isDone: true};
    } catch (error) {
      state.value = {error};
    }
  }
  const {isSending, isDone, error} = state.value;
  return html`
    <form ref=${place} onSubmit=${submit} onInput=${() => isDone && (state.value = {})} ...${properties}>
      ${children}
      <div class="form-end">
        <button class="primary" aria-disabled=${isSending}>${label}</button>
        ${beside}
        <p class="form-state" role="status">${isDone && done}</p>
      </div>
      <p class="form-error" role="alert">${error && inWords(error)}</p>
    </form>`;
}

/** The models that can answer, grouped by who serves them; one that nobody serves may be chosen too. */
export function ModelOptions({models, chosen}) {
  const providers = [...new Set(models.map(({provider}) => provider))];
  const isUnknown = chosen && !models.some(({id}) => id === chosen);
  return html`
    ${isUnknown && html`<option value=${chosen} selected>${t("model.unserved", {model: chosen})}</option>`}
    ${providers.map(provider => html`
      <optgroup label=${provider}>
        ${models.filter(model => model.provider === provider).map(({id}) => html`
          <option value=${id} selected=${id === chosen}>${id}</option>`)}
      </optgroup>`)}`;
}
