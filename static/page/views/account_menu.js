/** The row of the account, with what concerns the whole page. */

import {dialog} from "./dialog.js";
import {html} from "./html.js";
import {Icon} from "./icons.js";
import {Menu} from "./menu.js";
import {isHidden} from "../state/brand.js";
import {tellError} from "../state/notices.js";
import {changeSettings, logout, settings, user} from "../state/session.js";
import {t} from "../state/words.js";

const THEMES = {system: "display", light: "sun", dark: "moon"};

const open = name => () => (dialog.value = {name});

export function AccountMenu() {
  const name = user.value?.name || user.value?.email || "";
  return html`
    <div class="user-bar">
      <${Menu} label=${t("account.menu")} button=${{className: "user"}} items=${items()}>
        <span class="initial" aria-hidden="true">${[...name.trim()][0]?.toLocaleUpperCase()}</span>
        <span class="user-name" dir="auto">${name}</span>
        <span class="hidden">${t("account.menu")}</span>
        <${Icon} name="choose" />
      <//>
    </div>`;
}

const items = () => [
  {icon: "settings", label: t("settings.title"), act: open("settings")},
  {icon: "list", label: t("manage.title"), act: open("manage")},
  !isHidden("shortcuts") && {icon: "keyboard", label: t("shortcuts.title"), act: open("shortcuts")},
  "separator",
  ...Object.entries(THEMES).map(([theme, icon]) => ({
    icon, label: t("theme.choice", {theme: t(`theme.${theme}`)}), isChecked: settings.value?.theme === theme,
    act: () => changeSettings({theme}).catch(tellError),
  })),
  "separator",
  {icon: "leave", label: t("session.sign_out"), act: () => logout().catch(tellError)},
];
