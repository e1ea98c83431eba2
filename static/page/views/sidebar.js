/** The chats: search, the list with what is unread, and the account. */

import {AccountMenu} from "./account_menu.js";
import {ChatList} from "./chat_list.js";
import {html} from "./html.js";
import {Icon, IconButton, Mark} from "./icons.js";
import {hideSidebar, isNarrow} from "./layout.js";
import {keysOf} from "./keys.js";
import {brand} from "../state/brand.js";
import {query} from "../state/chats.js";
import {show} from "../state/route.js";
import {t} from "../state/words.js";

export function Sidebar() {
  return html`
    <div class="sidebar-top">
      <div class="brand-row">
        <p class="brand" dir="auto"><${Mark} /> ${brand.name}</p>
        ${isNarrow.value || html`<${IconButton} icon="sidebar" className="collapse" label=${t("sidebar.hide")} keys=${keysOf("sidebar")}
          onClick=${hideSidebar} />`}
      </div>
      <button type="button" class="new-chat" title=${keysOf("new")} onClick=${() => show(null)}>
        <${Icon} name="compose" /> ${t("chats.new")}
      </button>
      <label class="search">
        <${Icon} name="search" />
        <span class="hidden">${t("chats.search")}</span>
        <input type="search" id="search" placeholder=${t("chats.search")} value=${query.value}
          onInput=${event => (query.value = event.target.value)} />
      </label>
    </div>
    <${ChatList} />
    <${AccountMenu} />`;
}
