/** The page begins here: its language, what it shows, and the line. */

import {render} from "../vendor/preact.js";
import {quillium} from "./state/client.js";
import "./state/notifications.js";
import {firstLanguage, speak} from "./state/words.js";
import {App} from "./views/app.js";
import {html} from "./views/html.js";

await speak(firstLanguage());
render(html`<${App} />`, document.getElementById("page"));
quillium.connect();
