/** The page's entry point: sets the language, renders the app, and connects. */

import {render} from "../vendor/preact.js";
import {brand} from "./state/brand.js";
import {quillium} from "./state/client.js";
import {signInByCode} from "./state/code.js";
import "./state/notifications.js";
import {firstLanguage, speak} from "./state/words.js";
import {App} from "./views/app.js";
import "./views/focus.js";
import {html} from "./views/html.js";

const place = document.getElementById("page");

async function start() {
  try {
    await speak(firstLanguage());
  } catch {
    render(html`<${Unloaded} />`, place);
    return;
  }
  await signInByCode();
  render(html`<${App} />`, place);
  quillium.connect();
}

/** Shown when not even the words could be loaded; so it is in English. */
const Unloaded = () => html`
  <main class="entrance" role="alert">
    <p>Can’t reach the server, so ${brand.name} couldn’t be loaded.</p>
    <p><button type="button" onClick=${start}>Try again</button></p>
  </main>`;

await start();
