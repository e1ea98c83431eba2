/** Notices, above everything else. In a dialog while one is open, as all outside of it is inert. */

import {html, useEffect, useRef} from "./html.js";
import {IconButton} from "./icons.js";
import {notices} from "../state/notices.js";
import {t} from "../state/words.js";

export function Notices() {
  const place = useRef(null);
  const shown = notices.value;
  useEffect(() => { // after the dialog that they may be in: what is opened last lies on top
    place.current.hidePopover();
    if (shown.length) place.current.showPopover();
  }, [shown]);
  return html`
    <div ref=${place} class="notices" popover="manual" role="status">
      ${shown.map(notice => html`<${Notice} key=${notice.id} notice=${notice} />`)}
    </div>`;
}

const Notice = ({notice: {text, isError, action, close, hold, wait}}) => html`
  <div class=${isError ? "notice is-error" : "notice"} onMouseEnter=${hold} onMouseLeave=${wait}
    onFocusIn=${hold} onFocusOut=${wait}>
    <p>${text}</p>
    ${action && html`<button type="button" onClick=${action.run}>${action.label}</button>`}
    <${IconButton} icon="close" label=${t("action.close")} onClick=${close} />
  </div>`;
