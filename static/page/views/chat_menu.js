/** What can be done with a chat: a button with a menu, as the ARIA practices have them. */

import {dialog} from "./dialog.js";
import {html, useLayoutEffect, useRef, useSignal} from "./html.js";
import {Icon, IconButton} from "./icons.js";
import {archive, save, update} from "../state/chats.js";
import {remove} from "../state/deletions.js";
import {tellError} from "../state/notices.js";
import {t} from "../state/words.js";

const GAP = 4; // pixels
const STEPS = {ArrowDown: 1, ArrowUp: -1};

export function ChatMenu({chat}) {
  const isOpen = useSignal(false);
  const place = useRef(null);
  const close = () => {
    isOpen.value = false;
    place.current.firstElementChild.focus();
  };
  return html`
    <span ref=${place}>
      <${IconButton} icon="more" label=${t("chat.actions", {title: chat.title})} aria-haspopup="menu"
        aria-expanded=${isOpen.value} onClick=${() => (isOpen.value = true)} />
      ${isOpen.value && html`<${Items} chat=${chat} close=${close} />`}
    </span>`;
}

function Items({chat, close}) {
  const place = useRef(null);
  useLayoutEffect(() => {
    const box = place.current;
    const {bottom, right, top} = box.previousElementSibling.getBoundingClientRect();
    box.showPopover();
    const isAbove = bottom + GAP + box.offsetHeight > innerHeight;
    box.style.top = `${isAbove ? top - GAP - box.offsetHeight : bottom + GAP}px`;
    box.style.left = `${Math.max(GAP, right - box.offsetWidth)}px`;
    box.firstElementChild.focus();
  }, []);
  function move(event) {
    if (event.key === "Tab") close();
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const items = [...place.current.children];
    items.at((items.indexOf(document.activeElement) + STEPS[event.key]) % items.length).focus();
  }
  const item = (icon, label, act) => html`
    <button type="button" role="menuitem" tabindex="-1" onClick=${() => { close(); act(); }}>
      <${Icon} name=${icon} /> ${label}
    </button>`;
  return html`
    <div ref=${place} popover class="menu" role="menu" aria-label=${t("chat.actions", {title: chat.title})}
      onKeyDown=${move} onToggle=${event => event.newState === "closed" && close()}>
      ${item("edit", t("chat.rename"), () => (dialog.value = {name: "rename", chat}))}
      ${item("settings", t("instructions.title"), () => (dialog.value = {name: "instructions", chat}))}
      ${item("pin", t(chat.is_pinned ? "chat.unpin" : "chat.pin"), () =>
        update(chat.id, {is_pinned: !chat.is_pinned}).catch(tellError))}
      ${item("save", t("chat.save_markdown"), () => save(chat.id, "markdown").catch(tellError))}
      ${item("save", t("chat.save_json"), () => save(chat.id, "json").catch(tellError))}
      ${chat.is_archived
        ? item("archive", t("chat.restore"), () => update(chat.id, {is_archived: false}).catch(tellError))
        : item("archive", t("chat.archive"), () => archive(chat).catch(tellError))}
      ${item("trash", t("chat.delete"), () => {
        if (dialog.value?.name === "drawer") dialog.value = null; // undo lies beneath it
        remove(chat.id);
      })}
    </div>`;
}
