/** The view layer: Preact, with templates instead of a build step. */

import htm from "../../vendor/htm.js";
import {h} from "../../vendor/preact.js";
import "../../vendor/signals.js"; // so that a component follows the signals that it reads

export const html = htm.bind(h);
export {useEffect, useId, useLayoutEffect, useMemo, useRef} from "../../vendor/preact-hooks.js";
export {useSignal} from "../../vendor/signals.js";
