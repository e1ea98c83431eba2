/** The API to read and try. Who is signed in on the page is so here, too. */

const dark = matchMedia("(prefers-color-scheme: dark)");
const show = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", show);
show();

const docs = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null, // it is another host's
  onComplete() {
    const tokens = JSON.parse(localStorage.getItem("quillium") ?? "null");
    if (tokens?.access_token) docs.preauthorizeApiKey("session", tokens.access_token);
  },
});
