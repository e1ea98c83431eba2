// Not a module, so that it runs before anything is drawn: no flash of the other theme.
try {
  document.documentElement.dataset.theme = localStorage.getItem("quillium-theme") ?? "system";
} catch { // a browser that refuses to store
  document.documentElement.dataset.theme = "system";
}
