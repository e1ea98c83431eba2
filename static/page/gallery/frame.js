/** One state: the page itself, in front of a server that is pretended. */

import {pretend} from "./server.js";
import {STATES} from "./states.js";

const name = new URLSearchParams(location.search).get("state");
const {server, storage, isSignedOut, chat = null, until = isSignedOut ? "form" : "#main h1", act = () => {}} = STATES[name];

pretend(name, {server, storage, isSignedOut});
if (chat) history.replaceState(null, "", `#${chat}`);
const {modules} = await import("../../bundle/page.js");
const view = file => modules[`page/views/${file}.js`];
const state = file => modules[`page/state/${file}.js`];
await seen(until);
await act({view, state, seen});
document.documentElement.dataset.gallery = "shown"; // screenshots and tests wait for this

/** Wait for an element. */
async function seen(selector) {
  for (;;) {
    const element = document.querySelector(selector);
    if (element) return element;
    await new Promise(requestAnimationFrame);
  }
}
