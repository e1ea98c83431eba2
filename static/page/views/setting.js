/** Settings that are saved as they are changed: there is no button to forget. */

import {signal} from "../../vendor/signals.js";
import {Field} from "./form.js";
import {html, useEffect, useId, useRef, useSignal} from "./html.js";
import {tellError} from "../state/notices.js";
import {inWords, t} from "../state/words.js";

const lastSaved = signal(null); // the control that says so; one is enough

/**
 * What somebody enters, until it is saved. What can't be saved stays as it was entered, with an error
 * beside it.
 *
 * @param stored the value that the server has
 * @param {(value) => Promise} save
 * @param {(entered) => any} read makes the value of what is entered
 */
function useSaving(stored, save, read) {
  const id = useId();
  const draft = useSignal(undefined); // {entered, problem}: what the browser has against it
  const error = useSignal(null);
  const saving = useRef(Promise.resolve()); // one after the other, so that the last one wins
  const latest = useRef(null);
  latest.current = {stored, save};
  const unsay = () => lastSaved.value === id && (lastSaved.value = null);

  function edit(entered, problem = "") {
    [draft.value, error.value] = [{entered, problem}, null];
    unsay();
  }
  /** Save what is entered, once what was entered before is. */
  function keep() {
    const now = draft.value;
    if (!now || now.problem) return;
    saving.current = saving.current.then(async () => {
      const value = read(now.entered);
      if (value !== latest.current.stored) await latest.current.save(value);
      if (draft.value === now) draft.value = undefined;
      [error.value, lastSaved.value] = [null, id];
    }).catch(problem => (error.value = problem));
  }
  useEffect(() => () => { // Escape closes the dialog, and its fields get no `change`
    unsay();
    const unsaved = draft.value;
    if (!error.value) keep();
    saving.current.then(() => error.value && draft.value === unsaved && tellError(error.value));
  }, []);
  return {entered: draft.value ? draft.value.entered : stored, isSaved: lastSaved.value === id, error: error.value, edit, keep};
}

/**
 * A labelled control whose value is saved: a choice at once, a text when it is left or at Enter.
 *
 * @param {{value, save: (value) => Promise, label, hint?, as?, read?: (text: string) => unknown}} props
 */
export function Setting({value: stored, save, read = text => text, ...properties}) {
  const {entered, isSaved, error, edit, keep} = useSaving(stored, save, read);
  const invalid = useSignal(""); // said once the field is left
  function change({target}) {
    edit(target.value, target.validationMessage);
    invalid.value = target.validationMessage;
    keep();
  }
  function input({target}) {
    edit(target.value, target.validationMessage);
    invalid.value = "";
  }
  const problem = invalid.value || error ? html`<${Problem} invalid=${invalid.value} error=${error} retry=${keep} />` : null;
  return html`
    <${Field} value=${entered ?? ""} onChange=${change} onInput=${input} problem=${problem}
      note=${html`<${Note} isSaved=${isSaved} />`} ...${properties} />`;
}

/** A checkbox that is saved at once. */
export function SettingCheck({value: stored, save, label, hint}) {
  const id = useId();
  const {entered, isSaved, error, edit, keep} = useSaving(stored, save, isChecked => isChecked);
  function change({target}) {
    edit(target.checked);
    keep();
  }
  return html`
    <div class="field">
      <div class="field-head">
        <label class="check"><input type="checkbox" checked=${entered} onChange=${change} aria-describedby=${hint && id} /> <span>${label}</span></label>
        <${Note} isSaved=${isSaved} />
      </div>
      ${hint && html`<p class="hint" id=${id}>${hint}</p>`}
      <div role="alert">${error && html`<${Problem} error=${error} retry=${keep} />`}</div>
    </div>`;
}

const Note = ({isSaved}) => html`<span class="saved" role="status">${isSaved && t("action.saved")}</span>`;

const Problem = ({invalid, error, retry}) => (invalid
  ? html`<p class="form-error">${invalid}</p>`
  : html`<p class="form-error">${inWords(error)}${" "}
    <button type="button" class="link" onClick=${retry}>${t("load.retry")}</button></p>`);
