/** Where the server is mounted: at the root of its origin, or below its base path. */

export const ROOT = new URL("../../../", import.meta.url);

/** Prefix of what is stored in the browser: servers below other paths share the origin's storage. */
export const NAME = ROOT.pathname === "/" ? "quillium" : `quillium:${ROOT.pathname}`;
