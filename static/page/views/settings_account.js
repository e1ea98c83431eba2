/** The user's own account: what changes who they are needs their password. */

import {Field, Form} from "./form.js";
import {html, useSignal} from "./html.js";
import {Setting} from "./setting.js";
import {changeUser, user} from "../state/session.js";
import {t} from "../state/words.js";

export function Account() {
  const open = useSignal(null); // the name of the form that is open; one, so that there is one button to press
  if (!user.value) return html`<p class="hint">${t("chat.loading")}</p>`;
  const {name, email} = user.value;
  return html`
    <${Setting} label=${t("field.name")} value=${name} save=${value => changeUser({name: value})} autocomplete="name"
      maxlength="100" pattern=".*\\S.*" required />
    <${Guarded} name="email" title=${t("account.email")} now=${email} open=${open} label=${t("account.change_email")} done=${t("account.email_changed")}>
      <${Field} label=${t("field.new_email")} name="email" type="email" defaultValue=${email}
        autocomplete="username" maxlength="254" required autofocus />
    <//>
    <${Guarded} name="password" title=${t("account.password")} open=${open} label=${t("account.change_password")} done=${t("account.password_changed")}>
      <${Field} label=${t("field.new_password")} name="password" type="password" autocomplete="new-password"
        minlength="8" maxlength="256" required autofocus hint=${t("account.password_hint")} />
    <//>`;
}

/** What is changed in a form of its own, with the current password. */
function Guarded({name, title, now, open, label, done, children}) {
  const isDone = useSignal(false);
  const isOpen = open.value === name;
  const toggle = () => ([open.value, isDone.value] = [isOpen ? null : name, false]);
  async function send(fields) {
    await changeUser(fields);
    [open.value, isDone.value] = [null, true];
  }
  return html`
    <section>
      <h3>${title}</h3>
      ${now && html`<p class="hint" dir="auto">${now}</p>`}
      <p class="saved" role="status">${isDone.value && done}</p>
      ${isOpen
        ? html`<${Form} send=${send} label=${label}
          beside=${html`<button type="button" onClick=${toggle}>${t("action.cancel")}</button>`}>
          ${children}
          <${Field} label=${t("field.current_password")} name="current_password" type="password"
            autocomplete="current-password" maxlength="256" required />
        <//>`
        : html`<button type="button" onClick=${toggle}>${label}</button>`}
    </section>`;
}
