/** The chats: search, the list with what is unread, and what can be done with each. */

import {ChatList} from "./chat_list.js";
import {dialog} from "./dialog.js";
import {html} from "./html.js";
import {Icon, IconButton, Mark} from "./icons.js";
import {brand, isHidden} from "../state/brand.js";
import {query} from "../state/chats.js";
import {tellError} from "../state/notices.js";
import {show} from "../state/route.js";
import {logout, user} from "../state/session.js";
import {t} from "../state/words.js";

export function Sidebar() {
  return html`
    <div class="sidebar-top">
      <p class="brand" dir="auto"><${Mark} /> ${brand.name}</p>
      <button type="button" class="new-chat" onClick=${() => show(null)}>
        <${Icon} name="plus" /> ${t("chats.new")}
      </button>
      <label class="search">
        <${Icon} name="search" />
        <span class="hidden">${t("chats.search")}</span>
        <input type="search" id="search" placeholder=${t("chats.search")} value=${query.value}
          onInput=${event => (query.value = event.target.value)} />
      </label>
    </div>
    <${ChatList} />
    <${UserBar} />`;
}

function UserBar() {
  return html`
    <div class="user-bar">
      <button type="button" class="user" onClick=${() => (dialog.value = {name: "settings"})}>
        <${Icon} name="settings" /> <span>${user.value?.name ?? t("settings.title")}</span>
        <span class="hidden">${t("settings.title")}</span>
      </button>
      <${IconButton} icon="list" label=${t("manage.title")} onClick=${() => (dialog.value = {name: "manage"})} />
      ${isHidden("shortcuts") || html`<${IconButton} icon="keyboard" label=${t("shortcuts.title")}
        onClick=${() => (dialog.value = {name: "shortcuts"})} />`}
      <${IconButton} icon="leave" label=${t("session.sign_out")} onClick=${() => logout().catch(tellError)} />
    </div>`;
}
