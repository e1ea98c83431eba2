/** The API reference, where requests can be sent with the session of the page. */

const root = new URL("../../", document.currentScript.src); // with the server's base path
const name = root.pathname === "/" ? "quillium" : `quillium:${root.pathname}`; // as in page/state/place.js

const dark = matchMedia("(prefers-color-scheme: dark)");
const show = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", show);
show();

const docs = SwaggerUIBundle({
  url: new URL("api/v1/openapi.json", root).href,
  dom_id: "#docs",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null, // it is another host's
  onComplete() {
    const tokens = JSON.parse(localStorage.getItem(name) ?? "null");
    if (tokens?.access_token) docs.preauthorizeApiKey("session", tokens.access_token);
  },
});
