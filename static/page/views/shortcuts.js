/** What the keyboard does, and the list of it under `?`. One table for both. */

import {dialog, Dialog} from "./dialog.js";
import {html} from "./html.js";
import {shownChats} from "../state/chats.js";
import {chatId, show} from "../state/route.js";
import {isSignedIn} from "../state/session.js";
import {t} from "../state/words.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
const command = isMac ? "⌘" : "Ctrl";
const option = isMac ? "⌥" : "Alt";

/** Each with the keys that the list shows, and for those that hold everywhere `is` and `act`. */
const SHORTCUTS = [
  {name: "help", keys: ["?"], is: event => event.key === "?" && !isWriting(event), act: openList},
  {name: "new", keys: [option, "N"], is: event => event.altKey && event.code === "KeyN", act: () => show(null)},
  {name: "search", keys: [command, "K"], is: event => isCommand(event) && event.code === "KeyK", act: () => focusOn("search")},
  {name: "compose", keys: [command, "I"], is: event => isCommand(event) && event.code === "KeyI", act: () => focusOn("composer")},
  {name: "next", keys: [option, "↓"], is: event => event.altKey && event.key === "ArrowDown", act: () => step(1)},
  {name: "previous", keys: [option, "↑"], is: event => event.altKey && event.key === "ArrowUp", act: () => step(-1)},
  {name: "settings", keys: [command, ","], is: event => isCommand(event) && event.key === ",", act: () => (dialog.value = {name: "settings"})},
  {name: "send", keys: ["Enter"]},
  {name: "line", keys: ["Shift", "Enter"]},
  {name: "stop", keys: ["Esc"]},
];

const isCommand = event => (isMac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey;

const isWriting = ({target}) => target.matches("input, textarea, select, [contenteditable]");

function openList() {
  dialog.value = {name: "shortcuts"};
}

async function focusOn(id) {
  if (!document.getElementById(id)) { // the chats are in a drawer
    dialog.value = {name: "drawer"};
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
  if (!isSignedIn.value || document.querySelector("dialog[open]")) return;
  const shortcut = SHORTCUTS.find(({is}) => is?.(event));
  if (!shortcut) return;
  event.preventDefault();
  shortcut.act();
});

export const Shortcuts = () => html`
  <${Dialog} title=${t("shortcuts.title")} className="small">
    <dl class="shortcuts">
      ${SHORTCUTS.map(({name, keys}) => html`
        <div>
          <dt>${t(`shortcut.${name}`)}</dt>
          <dd>${keys.map(key => html`<kbd>${key}</kbd>`)}</dd>
        </div>`)}
    </dl>
  <//>`;
