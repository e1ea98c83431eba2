/** How the model of a chat is to answer: instructions and parameters, which can be kept as a preset. */

import {Dialog, leaveDialog} from "./dialog.js";
import {Check, Field, Form} from "./form.js";
import {html, useSignal} from "./html.js";
import {update} from "../state/chats.js";
import {keepPreset} from "../state/presets.js";
import {isAdmin} from "../state/session.js";
import {t} from "../state/words.js";

const NUMBERS = {
  temperature: {min: 0, max: 2, step: "any"},
  top_p: {min: 0, max: 1, step: "any"},
  max_tokens: {min: 1, max: 10_000_000, step: 1},
  seed: {min: -(2 ** 53) + 1, max: 2 ** 53 - 1, step: 1},
};
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh"];

/** The parameters of a form; an empty field leaves one to the provider. */
function parametersOf(fields) {
  const given = Object.keys(NUMBERS).filter(name => fields[name] !== "");
  const parameters = Object.fromEntries(given.map(name => [name, Number(fields[name])]));
  return fields.reasoning_effort ? {...parameters, reasoning_effort: fields.reasoning_effort} : parameters;
}

export function Instructions({chat: {id, model, system_prompt, parameters}}) {
  const isKeeping = useSignal(false);
  async function send({system_prompt, preset, shared, ...fields}, form) {
    const changes = {system_prompt: system_prompt || null, parameters: parametersOf(fields)};
    await update(id, changes);
    if (isKeeping.value) await keepPreset({name: preset.trim(), model, ...changes}, {isShared: Boolean(shared)});
    leaveDialog(form);
  }
  return html`
    <${Dialog} title=${t("instructions.title")} className="small">
      <${Form} send=${send} label=${t("action.save")}>
        <${Field} as="textarea" label=${t("instructions.prompt")} name="system_prompt" rows="6" maxlength="20000"
          hint=${t("instructions.hint")} defaultValue=${system_prompt ?? ""} autofocus />
        ${Object.entries(NUMBERS).map(([name, bounds]) => html`
          <${Field} key=${name} label=${t(`instructions.${name}`)} name=${name} type="number" ...${bounds}
            defaultValue=${parameters?.[name] ?? ""} placeholder=${t("instructions.default")} />`)}
        <${Field} as="select" label=${t("instructions.reasoning_effort")} name="reasoning_effort">
          ${["", ...EFFORTS].map(effort => html`
            <option value=${effort} selected=${effort === (parameters?.reasoning_effort ?? "")}>
              ${effort ? t(`effort.${effort}`) : t("instructions.default")}
            </option>`)}
        <//>
        <${Check} label=${t("preset.keep")} onChange=${({target}) => (isKeeping.value = target.checked)} />
        ${isKeeping.value && html`
          <${Field} label=${t("preset.name")} name="preset" maxlength="100" pattern=".*\\S.*" required />
          ${isAdmin.value && html`<${Check} label=${t("preset.share")} name="shared" />`}`}
      <//>
    <//>`;
}
