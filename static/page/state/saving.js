/** Files that the browser saves. */

/** @param {Blob} content @param {string} name */
export function saveAs(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

const NOT_IN_NAMES = /[\p{C}<>:"/\\|?*]+/gu; // not on Windows, and some of them nowhere
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
const MAX_NAME_BYTES = 120;

/** A title as the name of a file, without its ending. It keeps combining marks, digits and dots. */
export function fileName(title) {
  const bytes = new TextEncoder();
  let name = "";
  const letters = new Intl.Segmenter().segment(title.normalize().replace(NOT_IN_NAMES, " ").replace(/\s+/gu, " ").trim());
  for (const {segment} of letters) {
    if (bytes.encode(name + segment).length > MAX_NAME_BYTES) break;
    name += segment;
  }
  name = name.replace(/^[.\s]+|[.\s]+$/gu, "");
  return RESERVED.test(name) ? `_${name}` : name || "chat";
}
