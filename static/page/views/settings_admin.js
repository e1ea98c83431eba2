/** The server's settings, for the admin. */

import {useLoaded} from "./failed.js";
import {Check, Field, Form, ModelOptions} from "./form.js";
import {html, useSignal} from "./html.js";
import {quillium} from "../state/client.js";
import {tellError} from "../state/notices.js";
import {loadModels, models} from "../state/session.js";
import {t} from "../state/words.js";

const ASKED_AFTER_MS = [200, 500, 1_500, 3_000]; // a server may be slow to list its models

export function Administration() {
  const {value: settings, state} = useLoaded(() => quillium.call("GET", "/settings/admin"));
  if (!settings.value) return state;
  const change = async changes => (settings.value = await quillium.call("PUT", "/settings/admin", changes));
  return html`
    <${Rules} settings=${settings.value} change=${change} />
    <${Providers} providers=${settings.value.providers} change=${change} />`;
}

function Rules({settings, change}) {
  const {allow_registration, default_model, system_prompt, rate_limit_per_minute, storage_per_user_mib} = settings;
  const send = async fields => {
    await change({
      allow_registration: "allow_registration" in fields,
      default_model: fields.default_model || null,
      system_prompt: fields.system_prompt,
      rate_limit_per_minute: Number(fields.rate_limit_per_minute),
      storage_per_user_mib: Number(fields.storage_per_user_mib),
    });
    await loadModels();
  };
  return html`
    <${Form} send=${send} label=${t("action.save")} done=${t("action.saved")}>
      <${Check} name="allow_registration" label=${t("admin.allow_registration")} defaultChecked=${allow_registration} />
      <${Field} as="select" label=${t("admin.default_model")} name="default_model">
        <option value="" selected=${!default_model}>${t("admin.built_in_default")}</option>
        <${ModelOptions} models=${models.value} chosen=${default_model} />
      <//>
      <${Field} as="textarea" label=${t("admin.system_prompt")} name="system_prompt" rows="4" maxlength="20000"
        hint=${t("admin.system_prompt_hint")} defaultValue=${system_prompt} />
      <${Field} label=${t("admin.rate_limit")} name="rate_limit_per_minute" type="number" min="0" max="1000000"
        step="1" required hint=${t("admin.rate_limit_hint")} defaultValue=${rate_limit_per_minute} />
      <${Field} label=${t("admin.storage")} name="storage_per_user_mib" type="number" min="0" max="100000000"
        step="1" required hint=${t("admin.rate_limit_hint")} defaultValue=${storage_per_user_mib} />
    <//>`;
}

function Providers({providers, change}) {
  const isAdding = useSignal(false);
  const others = name => providers.filter(provider => provider.name !== name);
  async function keep(provider, name) {
    await change({providers: [...others(name), provider]});
    isAdding.value = false;
    await listModels(provider);
  }
  return html`
    <section>
      <h3>${t("admin.providers")}</h3>
      <p class="hint">${t("admin.providers_hint")}</p>
      ${providers.map(provider => html`
        <${Provider} key=${provider.name} provider=${provider} keep=${keep}
          forget=${() => change({providers: others(provider.name)}).then(loadModels).catch(tellError)} />`)}
      ${isAdding.value
        ? html`<${ProviderForm} keep=${keep} isOpen />`
        : html`<button type="button" onClick=${() => (isAdding.value = true)}>${t("provider.add")}</button>`}
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

function Provider({provider, keep, forget}) {
  const isOpen = useSignal(false);
  const keepAndClose = async (...changed) => {
    await keep(...changed);
    isOpen.value = false;
  };
  const served = models.value.filter(model => model.provider === provider.name);
  return html`
    <div class="provider">
      <p><strong>${provider.name}</strong> <code>${provider.base_url}</code></p>
      ${served.length > 0
        ? html`<p class="hint">${t("provider.serves", {count: served.length})}</p>
          <ul class="models">${served.map(({id}) => html`<li><code>${id}</code></li>`)}</ul>`
        : html`<p class="problem is-error">${t("provider.serves_none")}</p>`}
      ${isOpen.value
        ? html`<${ProviderForm} provider=${provider} keep=${keepAndClose} />`
        : html`<p class="buttons">
          <button type="button" onClick=${() => (isOpen.value = true)}>${t("provider.change")}</button>
          <button type="button" onClick=${() => listModels(provider).catch(tellError)}>${t("provider.check")}</button>
          <button type="button" class="danger" onClick=${forget}>${t("provider.forget")}</button>
        </p>`}
    </div>`;
}

function ProviderForm({provider = {name: "", base_url: "", models: ["*"]}, keep}) {
  const isNew = provider.name === ""; // one that got another name would lose its key
  const send = ({name, base_url, api_key, models: ids}) => keep({
    name: name.trim(),
    base_url: base_url.trim(),
    models: ids.split(/[\s,]+/).filter(Boolean),
    ...(api_key && {api_key}),
  }, provider.name);
  return html`
    <${Form} send=${send} label=${t("provider.keep")}>
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
