/** Copy the client module into the package; `npm pack` runs this. */

import {copyFileSync} from "node:fs";

for (const name of ["quillium.js", "quillium.d.ts"]) {
  copyFileSync(new URL(`../../static/${name}`, import.meta.url), new URL(name, import.meta.url));
}
