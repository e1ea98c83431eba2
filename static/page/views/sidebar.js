/** The chats: search, the list with what is unread, and what can be done with each. */

import {ChatMenu} from "./chat_menu.js";
import {dialog} from "./dialog.js";
import {Failed} from "./failed.js";
import {html, useEffect, useRef} from "./html.js";
import {Icon, IconButton, Quill} from "./icons.js";
import {
  hasMore, isLoaded, isSearching, loadMore, moreError, query, retrySearch, searchError, shownChats,
} from "../state/chats.js";
import {tellError} from "../state/notices.js";
import {addressOf, chatId, show} from "../state/route.js";
import {logout, user} from "../state/session.js";
import {fullTime, shortTime, t} from "../state/words.js";

export function Sidebar() {
  return html`
    <div class="sidebar-top">
      <p class="brand"><${Quill} /> Quillium</p>
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

function ChatList() {
  const chats = shownChats.value;
  const isEmpty = isLoaded.value && !isSearching.value && !searchError.value && chats.length === 0;
  return html`
    <nav class="chat-list" aria-label=${t("chats.label")} aria-busy=${isSearching.value}>
      ${searchError.value && html`<${Failed} error=${searchError.value} retry=${retrySearch} />`}
      <ul>
        ${chats.map(chat => html`<${ChatRow} key=${chat.id} chat=${chat} isShown=${chat.id === chatId.value} />`)}
      </ul>
      ${hasMore.value && html`<${More} key=${chats.length} />`}
      ${isEmpty && html`<p class="hint">${t(query.value ? "chats.none_found" : "chats.none")}</p>`}
    </nav>`;
}

function ChatRow({chat, isShown}) {
  const {id, title, unread_count, updated_at} = chat;
  return html`
    <li class="chat-row">
      <a href=${addressOf(id)} aria-current=${isShown ? "page" : undefined}>
        <span class="chat-title">${title}</span>
        ${unread_count > 0
          ? html`<span class="badge" aria-hidden="true">${unread_count > 99 ? "99+" : unread_count}</span>
            <span class="hidden">${t("chats.unread", {count: unread_count})}</span>`
          : html`<time datetime=${updated_at} title=${fullTime(updated_at)}>${shortTime(updated_at)}</time>`}
      </a>
      ${chat.isPending || html`<${ChatMenu} chat=${chat} />`}
    </li>`;
}

/** At the end of the list: once it is seen, the next page is loaded. */
function More() {
  const place = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([seen]) => seen.isIntersecting && loadMore());
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return html`
    <div ref=${place}>
      ${moreError.value
        ? html`<${Failed} error=${moreError.value} retry=${loadMore} />`
        : html`<button type="button" class="link more" onClick=${loadMore}>${t("chats.more")}</button>`}
    </div>`;
}

function UserBar() {
  return html`
    <div class="user-bar">
      <button type="button" class="user" onClick=${() => (dialog.value = {name: "settings"})}>
        <${Icon} name="settings" /> <span>${user.value?.name ?? t("settings.title")}</span>
        <span class="hidden">${t("settings.title")}</span>
      </button>
      <${IconButton} icon="keyboard" label=${t("shortcuts.title")}
        onClick=${() => (dialog.value = {name: "shortcuts"})} />
      <${IconButton} icon="leave" label=${t("session.sign_out")} onClick=${() => logout().catch(tellError)} />
    </div>`;
}
