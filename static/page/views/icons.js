/** Line icons on a grid of 24, drawn for this page. They are decoration: labels are words. */

import {html} from "./html.js";
import {brand} from "../state/brand.js";

const PATHS = {
  alert: "M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.5v.2",
  archive: "M4 5h16v4H4zM5.500 9v10h13V9M10 13h4",
  attach: "M19 11.500l-7.500 7.500a4.500 4.500 0 0 1-6.400-6.400L13 4.700a3 3 0 0 1 4.300 4.300l-7.800 7.800a1.500 1.500 0 0 1-2.100-2.100L14 8",
  check: "M5 12.500l4.500 4.500L19 7.500",
  choose: "M8 9.500l4-4 4 4M8 14.500l4 4 4-4",
  close: "M6 6l12 12M18 6 6 18",
  compose: "M12 5H6a1.500 1.500 0 0 0-1.500 1.500V18A1.500 1.500 0 0 0 6 19.500h11.500A1.500 1.500 0 0 0 19 18v-6M10 14l.700-3L18 3.700l2.300 2.300L13 13.300 10 14Z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  display: "M3.500 5h17v11h-17zM12 16v4m-4 0h8",
  down: "M12 5v14m-6-6 6 6 6-6",
  edit: "M4 20l1-5L16 4l4 4L9 19l-5 1Z",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  keyboard: "M3 7h18v11H3zM7 11h.1m3.2 0h.1m3.2 0h.1m3.2 0h.1M8 14.500h8",
  list: "M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1",
  menu: "M4 7h16M4 12h16M4 17h10",
  leave: "M14 4H5v16h9M10 12h10m-4-4 4 4-4 4",
  moon: "M20 14.500A8.500 8.500 0 1 1 9.500 4a7 7 0 0 0 10.500 10.500Z",
  more: "M6 11.500v1M5.500 12h1M12 11.500v1M11.500 12h1M18 11.500v1M17.500 12h1",
  next: "M9.500 6l6 6-6 6",
  pin: "M9 4h6l-1 6 3 3H7l3-3-1-6ZM12 13v7",
  previous: "M14.500 6l-6 6 6 6",
  quote: "M5 17h4.500l1-4V7H5v6h3.500M14 17h4.500l1-4V7H14v6h3.500",
  redo: "M19 12a7 7 0 1 1-2.500-5.400M19 3.500V7.500h-4",
  save: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  search: "M16 16l4.500 4.500M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z",
  send: "M12 19V5m-6 6 6-6 6 6",
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M13 7a2.500 2.500 0 1 0 5 0 2.500 2.500 0 0 0-5 0ZM6 17a2.500 2.500 0 1 0 5 0 2.500 2.500 0 0 0-5 0Z",
  sidebar: "M4 5h16v14H4zM9.500 5v14",
  speaker: "M4 9.500h4L13 5v14l-5-4.500H4zM16.500 9a4.200 4.200 0 0 1 0 6M19 6.500a8 8 0 0 1 0 11",
  stop: "M7 7h10v10H7z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v1.500m0 15V21M3 12h1.500m15 0H21M5.600 5.600l1.100 1.100m10.600 10.600 1.100 1.100M5.600 18.400l1.100-1.100M17.300 6.700l1.100-1.100",
  trash: "M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13",
  upload: "M12 15V4M7 9l5-5 5 5M5 20h14",
};

export const Icon = ({name}) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** The mark of the product: the quill of `quill.svg`, or the icon of a brand. */
export const Mark = () => (brand.icon ? html`<img class="quill" src=${brand.icon} alt="" />` : html`<${Quill} />`);

const Quill = () => html`
  <svg class="quill" viewBox="0 0 32 32" aria-hidden="true">
    <path class="feather" d="M28 3C17 3 8 10 6 21l-3 8h2l2-6c10-1 17-6 19-13l-4 1 5-4c1-2 1-3 1-4Z" />
    <path class="shaft" d="M7 23C11 16 16 11 23 8" />
  </svg>`;

/** A button that is an icon; its label is read out, and shown as a tooltip with the keys of its shortcut. */
export const IconButton = ({icon, label, keys, className = "", ...properties}) => html`
  <button type="button" class="icon-button ${className}" aria-label=${label} title=${keys ? `${label} (${keys})` : label}
    ...${properties}>
    <${Icon} name=${icon} />
  </button>`;
