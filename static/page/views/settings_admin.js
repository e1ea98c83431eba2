/** The server's settings, for the admin. */

import {useLoaded} from "./failed.js";
import {Field, Form, ModelOptions} from "./form.js";
import {html, useSignal} from "./html.js";
import {Setting, SettingCheck} from "./setting.js";
import {quillium} from "../state/client.js";
import {tellError} from "../state/notices.js";
import {loadModels, models} from "../state/session.js";
import {t} from "../state/words.js";

const ASKED_AFTER_MS = [200, 500, 1_500, 3_000]; // a server may be slow to list its models

/** The server's settings with a function that changes some; before they are loaded, `state`. */
function useServerSettings() {
  const {value: settings, state} = useLoaded(() => quillium.call("GET", "/settings/admin"));
  const change = async changes => (settings.value = await quillium.call("PUT", "/settings/admin", changes));
  return {settings: settings.value, state, change};
}

/** Which models there are, and what all of them are told. */
export function Models() {
  const {settings, state, change} = useServerSettings();
  if (!settings) return state;
  return html`
    <${Setting} as="select" label=${t("admin.default_model")} value=${settings.default_model} read=${text => text || null}
      save=${value => change({default_model: value}).then(loadModels)}>
      <option value="">${t("admin.built_in_default")}</option>
      <${ModelOptions} models=${models.value} chosen=${settings.default_model} />
    <//>
    <${Setting} as="textarea" label=${t("admin.system_prompt")} rows="4" maxlength="20000" hint=${t("admin.system_prompt_hint")}
      value=${settings.system_prompt} save=${value => change({system_prompt: value})} />
    <${SettingCheck} label=${t("admin.titles")} hint=${t("admin.titles_hint")} value=${settings.titles_by_model}
      save=${value => change({titles_by_model: value})} />
    <${Providers} providers=${settings.providers} change=${change} />`;
}

/** Who may do how much. */
export function Server() {
  const {settings, state, change} = useServerSettings();
  if (!settings) return state;
  return html`
    <${SettingCheck} label=${t("admin.allow_registration")} value=${settings.allow_registration}
      save=${value => change({allow_registration: value})} />
    <${Setting} label=${t("admin.rate_limit")} type="number" min="0" max="1000000" step="1" required hint=${t("admin.rate_limit_hint")}
      value=${settings.rate_limit_per_minute} read=${Number} save=${value => change({rate_limit_per_minute: value})} />
    <${Setting} label=${t("admin.storage")} type="number" min="0" max="100000000" step="1" required hint=${t("admin.rate_limit_hint")}
      value=${settings.storage_per_user_mib} read=${Number} save=${value => change({storage_per_user_mib: value})} />`;
}

function Providers({providers, change}) {
  const open = useSignal(null); // the name of the provider whose form is open, "" of a new one
  const others = name => providers.filter(provider => provider.name !== name);
  async function keep(provider, name) {
    await change({providers: [...others(name), provider]});
    open.value = null;
    await listModels(provider);
  }
  const forget = name => change({providers: others(name)}).then(loadModels).catch(tellError);
  return html`
    <section>
      <h3>${t("admin.providers")}</h3>
      <p class="hint">${t("admin.providers_hint")}</p>
      ${providers.map(provider => html`
        <${Provider} key=${provider.name} provider=${provider} open=${open} keep=${keep} forget=${() => forget(provider.name)} />`)}
      ${open.value === "" && html`<${ProviderForm} keep=${keep} close=${() => (open.value = null)} />`}
      ${open.value === null && html`<button type="button" onClick=${() => (open.value = "")}>${t("provider.add")}</button>`}
    </section>`;
}

/** Ask until the server has told its models, or long enough. */
async function listModels({name, models: named}) {
  for (const milliseconds of named[0] === "*" ? ASKED_AFTER_MS : [0]) {
    await new Promise(resolve => setTimeout(resolve, milliseconds));
    await loadModels();
    if (models.value.some(({provider}) => provider === name)) return;
  }
}

function Provider({provider, open, keep, forget}) {
  const served = models.value.filter(model => model.provider === provider.name);
  const close = () => (open.value = null);
  return html`
    <div class="provider">
      <p><strong>${provider.name}</strong> <code>${provider.base_url}</code></p>
      ${served.length > 0
        ? html`<p class="hint">${t("provider.serves", {count: served.length})}</p>
          <ul class="models">${served.map(({id}) => html`<li><code>${id}</code></li>`)}</ul>`
        : html`<p class="problem is-error">${t("provider.serves_none")}</p>`}
      ${open.value === provider.name && html`<${ProviderForm} provider=${provider} keep=${keep} close=${close} />`}
      ${open.value === null && html`
        <p class="buttons">
          <button type="button" onClick=${() => (open.value = provider.name)}>${t("provider.change")}</button>
          <button type="button" onClick=${() => listModels(provider).catch(tellError)}>${t("provider.check")}</button>
          <button type="button" class="danger" onClick=${forget}>${t("provider.forget")}</button>
        </p>`}
    </div>`;
}

function ProviderForm({provider = {name: "", base_url: "", models: ["*"]}, keep, close}) {
  const isNew = provider.name === ""; // one that got another name would lose its key
  const send = ({name, base_url, api_key, models: ids}) => keep({
    name: name.trim(),
    base_url: base_url.trim(),
    models: ids.split(/[\s,]+/).filter(Boolean),
    ...(api_key && {api_key}),
  }, provider.name);
  return html`
    <${Form} send=${send} label=${t("provider.keep")}
      beside=${html`<button type="button" onClick=${close}>${t("action.cancel")}</button>`}>
      <${Field} label=${t("provider.name")} name="name" defaultValue=${provider.name} maxlength="100"
        required readonly=${!isNew} autofocus=${isNew} />
      <${Field} label=${t("provider.address")} name="base_url" type="url" defaultValue=${provider.base_url}
        placeholder="http://localhost:8000/v1" maxlength="2000"
        required autofocus=${!isNew} />
      <${Field} label=${t("provider.key")} name="api_key" type="password" autocomplete="off" maxlength="4096"
        hint=${provider.api_key_set ? t("provider.key_is_set") : t("provider.key_hint")} />
      <${Field} label=${t("provider.models")} name="models" defaultValue=${provider.models.join(", ")} required
        hint=${t("provider.models_hint")} />
    <//>`;
}
