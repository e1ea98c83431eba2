// Not a module, so that it runs before anything is drawn: no flash of the other theme.
document.documentElement.dataset.theme = localStorage.getItem("quillium-theme") ?? "system";
