/** Signing in, and making an account. */

import {html, useEffect, useSignal} from "./html.js";
import {Mark} from "./icons.js";
import {Field, Form} from "./form.js";
import {brand, isHidden} from "../state/brand.js";
import {quillium} from "../state/client.js";
import {keep, recall} from "../state/kept.js";
import {notify, tellError} from "../state/notices.js";
import {hasExpired, login, register} from "../state/session.js";
import {LANGUAGES, language, speak, t} from "../state/words.js";

const KNOWN = "quillium-known"; // somebody has signed in with this browser before

async function enter({email, password}) {
  await login(email, password);
  keep(KNOWN, "yes");
}

async function join({email, password, name, setup_code: setupCode}) {
  const user = await register(email, password, name.trim(), setupCode);
  keep(KNOWN, "yes");
  if (user.is_admin) notify(t("register.is_admin"), {isLasting: true});
}

/** What this server offers to somebody who is not signed in. */
function useRegistration() {
  const state = useSignal(null);
  useEffect(() => {
    quillium.call("GET", "/auth/registration")
      .then(found => (state.value = found), () => (state.value = {is_open: true, is_first: false}));
  }, []);
  return state.value;
}

export function Entrance() {
  const registration = useRegistration();
  const chosen = useSignal(null); // "register" or "login", once somebody has switched
  if (!registration) return html`<main class="entrance" aria-busy="true"><h1 class="hidden">${brand.name}</h1></main>`;
  const {is_first: isFirst} = registration; // and has to be created, whatever is hidden
  const isOpen = registration.is_open && (isFirst || !isHidden("sign_up"));
  const isNewHere = isFirst || (!recall(KNOWN) && !hasExpired.value);
  const isNew = isOpen && (chosen.value ? chosen.value === "register" : isNewHere);
  const which = isNew ? "register" : "login";
  return html`
    <main class="entrance">
      <div class="entrance-card">
        <h1 dir="auto"><${Mark} /> ${brand.name}</h1>
        <p class="lead">${t(`${which}.lead`)}</p>
        ${hasExpired.value && html`<p class="expired" role="alert">${t("login.expired")}</p>`}
        <${Form} key=${which} send=${isNew ? join : enter} label=${t(`${which}.submit`)}>
          ${isNew && html`
            <${Field} label=${t("field.name")} name="name" autocomplete="name" maxlength="100" />`}
          <${Field} label=${t("field.email")} name="email" type="email" autocomplete="username"
            maxlength="254" required />
          <${Field} label=${t("field.password")} name="password" type="password" required
            autocomplete=${isNew ? "new-password" : "current-password"}
            minlength=${isNew ? 8 : undefined} maxlength="256"
            hint=${isNew && t("register.password_hint")} />
          ${isNew && registration.needs_setup_code && html`
            <${Field} label=${t("field.setup_code")} name="setup_code" autocomplete="off" required
              maxlength="100" hint=${t("field.setup_code_hint")} />`}
        <//>
        ${isNew && isFirst && html`<p class="hint">${t("register.first_is_admin")}</p>`}
        ${isOpen && html`
          <p>
            ${t(`${which}.switch`)}${" "}
            <button type="button" class="link" onClick=${() => (chosen.value = isNew ? "login" : "register")}>
              ${t(isNew ? "login.submit" : "register.submit")}
            </button>
          </p>`}
      </div>
      <${LanguagePicker} />
    </main>`;
}

const LanguagePicker = () => html`
  <label class="entrance-language">
    <span class="hidden">${t("settings.language")}</span>
    <select value=${language()} onChange=${event => speak(event.target.value).catch(tellError)}>
      ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag}>${name}</option>`)}
    </select>
  </label>`;
