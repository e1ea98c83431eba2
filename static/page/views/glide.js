/** The composer's way from the centre of the welcome screen to the end of the new conversation. */

let from = null; // pixels from the top of the view, until the next composer has taken its place

/** Note where the composer is, before the conversation replaces it. */
export function beginGlide() {
  from = document.querySelector(".composer").getBoundingClientRect().top;
}

/** Let a composer that was just drawn come from there. The style sheet decides how, and whether at all. */
export function endGlide(composer) {
  if (from === null) return;
  composer.style.setProperty("--glide", `${from - composer.getBoundingClientRect().top}px`);
  composer.classList.add("is-gliding");
  from = null;
}
