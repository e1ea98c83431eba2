/** The settings: sections beside each other, whose changes are saved as they are made. */

import {Account} from "./settings_account.js";
import {Models, Server} from "./settings_admin.js";
import {Data} from "./settings_data.js";
import {Dialog} from "./dialog.js";
import {ModelOptions} from "./form.js";
import {html, useEffect, useId, useRef, useSignal} from "./html.js";
import {IconButton} from "./icons.js";
import {Keys} from "./settings_keys.js";
import {Sessions} from "./settings_sessions.js";
import {Setting, SettingCheck} from "./setting.js";
import {tellError} from "../state/notices.js";
import {askPermission, permission} from "../state/notifications.js";
import {presets, removePreset} from "../state/presets.js";
import {changeSettings, isAdmin, models, settings} from "../state/session.js";
import {LANGUAGES, language, t} from "../state/words.js";

const SECTIONS = {general: General, account: Account, sessions: Sessions, keys: Keys, data: Data};
const OF_ADMINS = {models: Models, server: Server};
const narrow = matchMedia("(max-width: 40rem)"); // where the tabs lie above, not beside

/** Tabs, as the ARIA practices have them. */
export function SettingsDialog({part: first = "general"}) {
  const part = useSignal(first);
  const id = useId();
  const tabs = useRef(null);
  const sections = {...SECTIONS, ...(isAdmin.value && OF_ADMINS)};
  const names = Object.keys(sections);
  const at = names.indexOf(part.value);
  const places = {ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1};
  useEffect(() => tabs.current.children[at].scrollIntoView({block: "nearest", inline: "nearest"}), [at]);
  function move(event) {
    if (!(event.key in places)) return;
    event.preventDefault();
    const next = (places[event.key] + names.length) % names.length;
    part.value = names[next];
    tabs.current.children[next].focus();
  }
  return html`
    <${Dialog} title=${t("settings.title")} className="settings">
      <div class="sections">
        <div class="tabs" role="tablist" aria-orientation=${narrow.matches ? "horizontal" : "vertical"}
          aria-label=${t("settings.title")} ref=${tabs} onKeyDown=${move}>
          ${names.map(name => html`
            <button type="button" role="tab" id=${`${id}-${name}`} aria-selected=${name === part.value}
              tabindex=${name === part.value ? 0 : -1} aria-controls=${`${id}-panel`}
              onClick=${() => (part.value = name)}>${t(`settings.${name}`)}</button>`)}
        </div>
        <div class="panel" role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${part.value}`} tabindex="0">
          <div class="panel-column" key=${part.value}><${sections[part.value]} /></div>
        </div>
      </div>
    <//>`;
}

function General() {
  if (!settings.value) return html`<p class="hint">${t("chat.loading")}</p>`;
  const {theme, notifications_enabled, default_model} = settings.value;
  const save = name => value => changeSettings({[name]: value});
  return html`
    <${Setting} as="select" label=${t("settings.theme")} value=${theme} save=${save("theme")}>
      ${["system", "light", "dark"].map(name => html`<option value=${name}>${t(`theme.${name}`)}</option>`)}
    <//>
    <${Setting} as="select" label=${t("settings.language")} value=${language()} save=${save("language")}>
      ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag}>${name}</option>`)}
    <//>
    <${Setting} as="select" label=${t("settings.default_model")} hint=${t("settings.default_model_hint")}
      value=${default_model} save=${save("default_model")} read=${text => text || null}>
      <option value="">${t("settings.servers_default")}</option>
      <${ModelOptions} models=${models.value} chosen=${default_model} />
    <//>
    <${SettingCheck} label=${t("settings.notifications")} value=${notifications_enabled} save=${save("notifications_enabled")} />
    ${notifications_enabled && html`<${Permission} />`}
    <${Presets} />`;
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
