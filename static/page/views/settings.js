/** The settings: what the user chooses, their account, and for the admin the server's. */

import {Account} from "./settings_account.js";
import {Administration} from "./settings_admin.js";
import {Dialog} from "./dialog.js";
import {Check, Field, ModelOptions} from "./form.js";
import {html, useId, useRef, useSignal} from "./html.js";
import {IconButton} from "./icons.js";
import {Keys} from "./settings_keys.js";
import {bring} from "../state/imports.js";
import {notify, tellError} from "../state/notices.js";
import {askPermission, permission} from "../state/notifications.js";
import {presets, removePreset} from "../state/presets.js";
import {show} from "../state/route.js";
import {changeSettings, isAdmin, models, settings} from "../state/session.js";
import {LANGUAGES, language, t} from "../state/words.js";

const PARTS = {preferences: Preferences, account: Account, keys: Keys, administration: Administration};

/** Tabs, as the ARIA practices have them. */
export function SettingsDialog({part: first = "preferences"}) {
  const part = useSignal(first);
  const id = useId();
  const tabs = useRef(null);
  const names = Object.keys(PARTS).filter(name => name !== "administration" || isAdmin.value);
  const steps = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1};
  function move(event) {
    if (!steps[event.key]) return;
    event.preventDefault();
    const next = (names.indexOf(part.value) + steps[event.key] + names.length) % names.length;
    part.value = names[next];
    tabs.current.children[next].focus();
  }
  return html`
    <${Dialog} title=${t("settings.title")} className="settings">
      <div class="tabs" role="tablist" ref=${tabs} onKeyDown=${move}>
        ${names.map(name => html`
          <button type="button" role="tab" id=${`${id}-${name}`} aria-selected=${name === part.value}
            tabindex=${name === part.value ? 0 : -1} aria-controls=${`${id}-panel`}
            onClick=${() => (part.value = name)}>${t(`settings.${name}`)}</button>`)}
      </div>
      <div class="panel" role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${part.value}`} tabindex="0">
        <${PARTS[part.value]} />
      </div>
    <//>`;
}

/** What is chosen here holds at once. */
function Preferences() {
  if (!settings.value) return html`<p class="hint">${t("chat.loading")}</p>`;
  const {theme, notifications_enabled, default_model} = settings.value;
  const change = changes => changeSettings(changes).catch(tellError);
  return html`
    <${Field} as="select" label=${t("settings.theme")} value=${theme}
      onChange=${event => change({theme: event.target.value})}>
      ${["system", "light", "dark"].map(name => html`
        <option value=${name} selected=${name === theme}>${t(`theme.${name}`)}</option>`)}
    <//>
    <${Field} as="select" label=${t("settings.language")} value=${language()}
      onChange=${event => change({language: event.target.value})}>
      ${Object.entries(LANGUAGES).map(([tag, name]) => html`
        <option value=${tag} selected=${tag === language()}>${name}</option>`)}
    <//>
    <${Field} as="select" label=${t("settings.default_model")} value=${default_model ?? ""}
      hint=${t("settings.default_model_hint")}
      onChange=${event => change({default_model: event.target.value || null})}>
      <option value="" selected=${!default_model}>${t("settings.servers_default")}</option>
      <${ModelOptions} models=${models.value} chosen=${default_model} />
    <//>
    <${Check} label=${t("settings.notifications")} checked=${notifications_enabled}
      onChange=${event => change({notifications_enabled: event.target.checked})} />
    ${notifications_enabled && html`<${Permission} />`}
    <${Presets} />
    <${Import} />`;
}

/** The presets that the user may remove: their own, and the admin's if they are one. */
function Presets() {
  const removable = presets.value.filter(({kind}) => kind === "own" || isAdmin.value);
  if (!removable.length) return null;
  return html`
    <section>
      <h3>${t("preset.label")}</h3>
      <ul class="presets">${removable.map(preset => html`
        <li key=${preset.value}>
          <span dir="auto">${preset.name}</span>
          <${IconButton} icon="trash" label=${t("preset.remove", {name: preset.name})}
            onClick=${() => removePreset(preset).catch(tellError)} />
        </li>`)}
      </ul>
    </section>`;
}

function Permission() {
  if (permission.value === "granted") return null;
  if (permission.value !== "default") return html`<p class="hint">${t(`notifications.${permission.value}`)}</p>`;
  return html`
    <p><button type="button" onClick=${() => askPermission().catch(tellError)}>${t("notifications.allow")}</button></p>`;
}

function Import() {
  const place = useRef(null);
  const share = useSignal(null); // of the file, while it is imported
  async function read({target}) {
    share.value = 0;
    try {
      const chat = await bring(target.files[0], stored => (share.value = stored));
      const dialog = place.current?.closest("dialog");
      if (!dialog) return; // closed meanwhile; the chat is in the list
      dialog.close();
      show(chat.id);
    } catch (error) {
      if (error instanceof SyntaxError) notify(t("import.not_json"), {isError: true});
      else tellError(error);
      target.value = ""; // so that the same file, mended, can be chosen again
    } finally {
      share.value = null;
    }
  }
  return html`
    <div ref=${place}>
      <${Field} label=${t("import.label")} hint=${t("import.hint")} type="file" accept=".json,.ndjson,application/json,application/x-ndjson"
        disabled=${share.value !== null} onChange=${read} />
      ${share.value !== null && html`
        <label class="hint">${t("import.progress", {percent: Math.floor(100 * share.value)})}
          ${" "}<progress value=${share.value} /></label>`}
    </div>`;
}
