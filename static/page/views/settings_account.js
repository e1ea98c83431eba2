/** The user's own account: name, address, password, and all of their sessions. */

import {Field, Form} from "./form.js";
import {html} from "./html.js";
import {tellError} from "../state/notices.js";
import {changeUser, logout, user} from "../state/session.js";
import {t} from "../state/words.js";

export function Account() {
  if (!user.value) return html`<p class="hint">${t("chat.loading")}</p>`;
  const {name, email} = user.value;
  const change = async (changes, form) => {
    await changeUser(changes);
    form.reset();
  };
  return html`
    <section>
      <h3>${t("account.name")}</h3>
      <${Form} key=${name} send=${change} label=${t("action.save")} done=${t("action.saved")}>
        <${Field} label=${t("field.name")} name="name" defaultValue=${name} autocomplete="name" maxlength="100"
          pattern=".*\\S.*" required />
      <//>
    </section>
    <section>
      <h3>${t("account.email")}</h3>
      <${Form} send=${change} label=${t("action.save")} done=${t("action.saved")}>
        <${Field} label=${t("field.email")} name="email" type="email" defaultValue=${email}
          autocomplete="username" maxlength="254" required />
        <${CurrentPassword} />
      <//>
    </section>
    <section>
      <h3>${t("account.password")}</h3>
      <${Form} send=${change} label=${t("account.change_password")} done=${t("account.password_changed")}>
        <${Field} label=${t("field.new_password")} name="password" type="password" autocomplete="new-password"
          minlength="8" maxlength="256" required hint=${t("account.password_hint")} />
        <${CurrentPassword} />
      <//>
    </section>
    <section>
      <h3>${t("account.sessions")}</h3>
      <p class="hint">${t("account.sessions_hint")}</p>
      <button type="button" class="danger" onClick=${() => logout({everywhere: true}).catch(tellError)}>
        ${t("session.sign_out_everywhere")}
      </button>
    </section>`;
}

const CurrentPassword = () => html`
  <${Field} label=${t("field.current_password")} name="current_password" type="password"
    autocomplete="current-password" maxlength="256" required />`;
