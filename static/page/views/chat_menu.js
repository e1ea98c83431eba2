/** What can be done with a chat. */

import {dialog} from "./dialog.js";
import {html} from "./html.js";
import {Icon} from "./icons.js";
import {Menu} from "./menu.js";
import {archive, save, update} from "../state/chats.js";
import {remove} from "../state/deletions.js";
import {tellError} from "../state/notices.js";
import {t} from "../state/words.js";

export function ChatMenu({chat}) {
  const label = t("chat.actions", {title: chat.title});
  const button = {className: "icon-button", "aria-label": label, title: label};
  return html`<${Menu} label=${label} button=${button} items=${itemsOf(chat)}><${Icon} name="more" /><//>`;
}

const open = (name, chat) => () => (dialog.value = {name, chat});
const change = (chat, changes) => () => update(chat.id, changes).catch(tellError);
const exported = (chat, format) => () => save(chat.id, format).catch(tellError);

function itemsOf(chat) {
  const {id, is_archived, is_pinned} = chat;
  return [
    {icon: "edit", label: t("chat.rename"), act: open("rename", chat)},
    {icon: "settings", label: t("instructions.title"), act: open("instructions", chat)},
    {icon: "pin", label: t(is_pinned ? "chat.unpin" : "chat.pin"), act: change(chat, {is_pinned: !is_pinned})},
    "separator",
    {icon: "save", label: t("chat.save_markdown"), act: exported(chat, "markdown")},
    {icon: "save", label: t("chat.save_json"), act: exported(chat, "json")},
    "separator",
    is_archived
      ? {icon: "archive", label: t("chat.restore"), act: change(chat, {is_archived: false})}
      : {icon: "archive", label: t("chat.archive"), act: () => archive(chat).catch(tellError)},
    {icon: "trash", label: t("chat.delete"), act: () => {
      if (dialog.value?.name === "drawer") dialog.value = null; // undo lies beneath it
      remove(id);
    }},
  ];
}
