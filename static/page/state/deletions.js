/**
 * Deleting a chat: it is hidden at once and deleted when its notice closes. Until then it can be brought
 * back, after a reload of the tab, too: a copy that is kept in the tab is imported then.
 */

import {chatOf, forget, hide, isHidden, isLoaded} from "./chats.js";
import {quillium} from "./client.js";
import {importDocument} from "./imports.js";
import {notify, tellError} from "./notices.js";
import {show} from "./route.js";
import {isSignedIn, user} from "./session.js";
import {t} from "./words.js";
import {effect} from "../../vendor/signals.js";

const KEPT = "quillium-deleted";
const KEPT_MS = 60_000; // after which a tab that comes back offers no undo

/** Delete a chat, unless that is undone. Leaving the page does not undo it. */
export function remove(id) {
  const {title} = chatOf(id);
  let copy = null; // comes soon, usually long before the page is left
  quillium.call("GET", `/chats/${id}/export?format=json`, undefined, {as: "text"})
    .then(text => (copy = text), () => {}); // a chat without a copy is deleted all the same
  hide(id);
  const isDone = () => {
    removeEventListener("pagehide", leave);
    return !isHidden(id); // by another device, perhaps
  };
  const removeForGood = () => (isDone() ? undefined : deleteNow(id));
  const leave = () => {
    if (isDone()) return;
    keep({title, copy, owner: user.value?.id, at: Date.now()});
    deleteNow(id);
  };
  const undo = () => {
    if (isDone()) return;
    hide(id, false);
    show(id);
  };
  addEventListener("pagehide", leave);
  notify(t("chat.deleted", {title}), {action: {label: t("action.undo"), run: undo}, onClose: removeForGood});
}

const deleteNow = id => quillium.call("DELETE", `/chats/${id}`, undefined, {keepalive: true}).then(
  () => forget(id),
  error => {
    if (error.code === "not_found") return forget(id);
    hide(id, false);
    return tellError(error);
  },
);

function keep(deleted) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(deleted));
  } catch {
    // No room for the copy, or storage is refused: then it can't be undone.
  }
}

/** What this tab deleted just before it was loaded again. */
function takeKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    sessionStorage.removeItem(KEPT);
    return kept;
  } catch {
    return null;
  }
}

const stop = effect(() => {
  if (!isSignedIn.value || !isLoaded.value || !user.value) return;
  const kept = takeKept();
  queueMicrotask(() => stop());
  if (!kept?.copy || kept.owner !== user.value.id || Date.now() > kept.at + KEPT_MS) return;
  const undo = () => importDocument(JSON.parse(kept.copy)).then(({chat}) => show(chat.id), tellError);
  notify(t("chat.deleted", {title: kept.title}), {action: {label: t("action.undo"), run: undo}});
});
