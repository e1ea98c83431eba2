/** Keyboard shortcuts and their list under `?`, from one table. */

import {dialog, Dialog} from "./dialog.js";
import {html} from "./html.js";
import {KEYS, isAlt, isCommand, isMac, isPlain} from "./keys.js";
import {showSidebar, toggleSidebar} from "./layout.js";
import {isHidden} from "../state/brand.js";
import {shownChats} from "../state/chats.js";
import {conversationOf, stop} from "../state/conversations.js";
import {chatId, show} from "../state/route.js";
import {isSignedIn} from "../state/session.js";
import {t} from "../state/words.js";

/** What holds everywhere: `is` says whether a press means it. Others are in `KEYS` alone. */
const SHORTCUTS = {
  help: {is: event => isPlain(event, "?") && !isWriting(event) && !isHidden("shortcuts"), act: openList},
  new: {is: isForNew, act: () => show(null)},
  palette: {is: event => isCommand(event, "k"), act: () => (dialog.value = {name: "palette"})},
  search: {is: event => isPlain(event, "/") && !isWriting(event), act: () => focusOn("search")},
  sidebar: {is: event => isCommand(event, "b"), act: toggleSidebar},
  compose: {is: event => isCommand(event, "i"), act: () => focusOn("composer")},
  next: {is: event => isStep(event, "ArrowDown"), act: () => step(1)},
  previous: {is: event => isStep(event, "ArrowUp"), act: () => step(-1)},
  settings: {is: event => isCommand(event, ","), act: () => (dialog.value = {name: "settings"})},
  stop: {is: event => isPlain(event, "Escape") && isReplying(), act: () => stop(chatId.value)},
};

const isWriting = ({target}) => target.matches("input, textarea, select, [contenteditable]");

function isForNew(event) {
  return isMac ? isCommand(event, "o", {shift: true}) : isAlt(event, "n");
}

/** Alt+↓ opens a list; on a Mac ⇧⌘↓ selects in a text. */
function isStep(event, key) {
  if (event.target.matches("select, [role=combobox], [aria-haspopup=listbox]")) return false;
  return isMac ? isCommand(event, key, {shift: true}) && !isWriting(event) : isAlt(event, key);
}

const isReplying = () => chatId.value !== null && conversationOf(chatId.value).isReplying.value;

function openList() {
  dialog.value = {name: "shortcuts"};
}

async function focusOn(id) {
  if (!document.getElementById(id)) { // the chats are in a drawer, or hidden
    showSidebar();
    await new Promise(requestAnimationFrame);
  }
  document.getElementById(id)?.focus();
}

function step(by) {
  const ids = shownChats.value.map(({id}) => id);
  const next = chatId.value ? ids.indexOf(chatId.value) + by : by > 0 ? 0 : -1;
  if (ids[next]) show(ids[next]);
}

addEventListener("keydown", event => {
  const isElsewhere = document.querySelector("dialog[open], :popover-open:not(.notices)");
  if (!isSignedIn.value || isElsewhere || event.defaultPrevented) return;
  const shortcut = Object.values(SHORTCUTS).find(({is}) => is(event));
  if (!shortcut) return;
  event.preventDefault();
  shortcut.act();
});

export const Shortcuts = () => html`
  <${Dialog} title=${t("shortcuts.title")} className="small">
    <dl class="shortcuts">
      ${Object.entries(KEYS).map(([name, keys]) => html`
        <div>
          <dt>${t(`shortcut.${name}`)}</dt>
          <dd>${keys.map(key => html`<kbd>${key}</kbd>`)}</dd>
        </div>`)}
    </dl>
  <//>`;
