/** The overview: one frame for each state, in groups. */

import {STATES} from "./states.js";

const place = document.getElementById("states");

for (const [name, {title}] of Object.entries(STATES)) {
  const figure = document.createElement("figure");
  const frame = Object.assign(document.createElement("iframe"), {title, src: `gallery/frame.html?state=${name}`});
  const box = document.createElement("div");
  const caption = document.createElement("figcaption");
  const link = Object.assign(document.createElement("a"), {href: frame.src, textContent: title});
  box.append(frame);
  caption.append(link);
  figure.append(caption, box);
  place.append(figure);
}
