/** Modal dialogs, on the browser's own: it holds the focus, Escape closes, the focus goes back. */

import {signal} from "../../vendor/signals.js";
import {html, useLayoutEffect, useRef} from "./html.js";
import {IconButton} from "./icons.js";
import {Notices} from "./notices.js";
import {t} from "../state/words.js";

/** What is open: {name, …}; null for nothing. Its names stand in `app.js`. */
export const dialog = signal(null);

export const closeDialog = () => (dialog.value = null);

export function Dialog({title, className = "", onClose = closeDialog, children}) {
  const place = useRef(null);
  useLayoutEffect(() => place.current.showModal(), []);
  return html`
    <dialog ref=${place} class="dialog ${className}" aria-label=${title} onClose=${onClose}>
      <header>
        <h2>${title}</h2>
        <${IconButton} icon="close" label=${t("action.close")} onClick=${() => place.current.close()} />
      </header>
      ${children}
      <${Notices} />
    </dialog>`;
}

/** Close the dialog that an element is in, so that the focus goes back to where it was. */
export const leaveDialog = element => element.closest("dialog").close();
