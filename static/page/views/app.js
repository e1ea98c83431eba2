/** The whole page: the entrance, or chats beside a conversation, and what lies above them. */

import {effect} from "../../vendor/signals.js";
import {PictureViewer} from "./attachments.js";
import {dialog, Dialog} from "./dialog.js";
import {Conversation} from "./conversation.js";
import {Entrance} from "./entrance.js";
import {Failed} from "./failed.js";
import {html, useEffect} from "./html.js";
import {IconButton} from "./icons.js";
import {Instructions} from "./instructions.js";
import {keysOf} from "./keys.js";
import {isCollapsed, isNarrow, showSidebar} from "./layout.js";
import {ManageChats} from "./manage_chats.js";
import {DeleteMessage} from "./message_actions.js";
import {Notices} from "./notices.js";
import {Palette} from "./palette.js";
import {Rename} from "./rename.js";
import {SettingsDialog} from "./settings.js";
import {Shortcuts} from "./shortcuts.js";
import {Sidebar} from "./sidebar.js";
import {brand} from "../state/brand.js";
import {chatOf, isLoaded, unreadCount} from "../state/chats.js";
import {listingError, quillium} from "../state/client.js";
import {outbox, placeOf} from "../state/conversations.js";
import {announcement} from "../state/notices.js";
import {chatId} from "../state/route.js";
import {isAway, isSignedIn, limitedUntil, user} from "../state/session.js";
import {t} from "../state/words.js";

const DIALOGS = {delete_message: DeleteMessage, instructions: Instructions, manage: ManageChats, palette: Palette, picture: PictureViewer, rename: Rename, settings: SettingsDialog, shortcuts: Shortcuts};

export function App() {
  if (!isSignedIn.value) return html`<${Entrance} /><${Edge} />`;
  const isBeside = !isNarrow.value && !isCollapsed.value;
  if (!user.value) return html`<${Starting} isBeside=${isBeside} /><${Edge} />`;
  const Open = DIALOGS[dialog.value?.name];
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t("action.skip")}</a>
    <div class="page">
      ${isBeside && html`<aside class="sidebar" aria-label=${t("chats.label")}><${Sidebar} /></aside>`}
      <main id="main" tabindex="-1">
        <${Banner} />
        <${Conversation} key=${placeOf(chatId.value) ?? "new"} id=${chatId.value} before=${isBeside || html`<${SidebarButton} />`} />
      </main>
    </div>
    ${isNarrow.value && dialog.value?.name === "drawer" && html`<${Drawer} />`}
    ${Open && html`<${Open} ...${dialog.value} />`}
    <${Edge} />`;
}

/** Placeholders, until the account and the drafts are loaded. */
const Starting = ({isBeside}) => html`
  <div class="page" aria-busy="true">
    ${isBeside && html`<div class="sidebar"><${Bars} count=${8} /></div>`}
    <main><h1 class="hidden">${brand.name}</h1><${Banner} /><div class="column"><${Bars} count=${4} /></div></main>
  </div>`;

const Bars = ({count}) => html`<div class="bars" aria-hidden="true">${Array.from({length: count}, () => html`<span />`)}</div>`;

/** Brings the chats back, or opens their drawer. */
const SidebarButton = () => html`
  <${IconButton} icon=${isNarrow.value ? "menu" : "sidebar"} className="expand" keys=${keysOf("sidebar")} onClick=${showSidebar}
    label=${t(isNarrow.value ? "chats.label" : "sidebar.show")} />`;

/** The chats, over the conversation: where there is no room beside it. Going to a chat closes it. */
function Drawer() {
  const shown = chatId.value;
  useEffect(() => () => (dialog.value?.name === "drawer" ? (dialog.value = null) : null), [shown]);
  return html`<${Dialog} title=${t("chats.label")} className="drawer"><${Sidebar} /><//>`;
}

function skip(event) {
  event.preventDefault(); // the fragment of the address is the chat's
  document.getElementById("main").focus();
}

/** What is wrong with the connection. */
function Banner() {
  const waiting = outbox.value.length;
  const isLimited = useLimit();
  const error = listingError.value?.code === "offline" ? null : listingError.value; // else it is away
  return html`
    <div role="status" class="banners">
      ${error && html`<div class="banner"><${Failed} error=${error} retry=${() => quillium.connect()} /></div>`}
      ${isAway.value && !error && html`<p class="banner">
        ${t("banner.away")}${" "}${waiting > 0 && t("banner.waiting", {count: waiting})}${" "}
        <button type="button" class="link" onClick=${() => quillium.connect()}>${t("banner.try_now")}</button></p>`}
      ${isLimited && html`<p class="banner">${t("banner.limited")}</p>`}
    </div>`;
}

function useLimit() {
  const left = limitedUntil.value - Date.now();
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => (limitedUntil.value = 0), left);
    return () => clearTimeout(timer);
  }, [limitedUntil.value]);
  return left > 0;
}

const Edge = () => html`
  ${dialog.value === null && html`<${Notices} />`}
  <div class="hidden" role="log" aria-live="polite" aria-label=${t("reply.label")}>${announcement.value}</div>`;

effect(() => {
  const unread = unreadCount.value ? `(${unreadCount.value}) ` : "";
  const title = isLoaded.value && chatOf(chatId.value)?.title;
  document.title = `${unread}${title ? `${title} – ` : ""}${brand.name}`;
});
