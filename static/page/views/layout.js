/** Where the chats are: beside the conversation, hidden by the user, or in a drawer on a narrow view. */

import {signal} from "../../vendor/signals.js";
import {dialog} from "./dialog.js";
import {keep, recall} from "../state/kept.js";

const KEPT = "quillium-sidebar";
const narrow = matchMedia("(max-width: 50rem)");

export const isNarrow = signal(narrow.matches);
export const isCollapsed = signal(recall(KEPT) === "hidden");

narrow.addEventListener("change", () => (isNarrow.value = narrow.matches));

export function showSidebar() {
  if (isNarrow.value) dialog.value = {name: "drawer"};
  else collapse(false);
}

export function hideSidebar() {
  if (isNarrow.value) dialog.value = null;
  else collapse(true);
}

export const toggleSidebar = () => (isNarrow.value || isCollapsed.value ? showSidebar() : hideSidebar());

/** The focus goes to the button that takes it back, if it was on the one that was pressed. */
function collapse(isHidden) {
  const isOnButton = document.activeElement.matches(".collapse, .expand");
  isCollapsed.value = isHidden;
  if (isOnButton) requestAnimationFrame(() => document.querySelector(isHidden ? ".expand" : ".collapse")?.focus());
  keep(KEPT, isHidden ? "hidden" : "shown");
}
