/** Which model replies: in the header of the conversation. */

import {ModelOptions} from "./form.js";
import {html} from "./html.js";
import {models} from "../state/session.js";
import {t} from "../state/words.js";

/**
 * @param {object} props
 * @param {string} props.model that replies
 * @param {object[]} props.choices presets that can be chosen instead
 * @param {((model: string) => void) | null} props.choose null where it can't be chosen now
 */
export const ModelPicker = ({model, choices = [], choose}) => html`
  <label class="model-picker">
    <span class="hidden">${t("model.label")}</span>
    <select value=${model} disabled=${choose === null} onChange=${event => choose(event.target.value)}>
      ${choices.length > 0 && html`
        <optgroup label=${t("preset.label")}>
          ${choices.map(({name, value}) => html`<option value=${value} selected=${value === model}>${name}</option>`)}
        </optgroup>`}
      <${ModelOptions} models=${models.value} chosen=${choices.some(({value}) => value === model) ? null : model} />
    </select>
  </label>`;
