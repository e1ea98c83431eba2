/** The headings of a long reply, as a list that leads to them. */

import {html, useRef, useSignal} from "./html.js";
import {t} from "../state/words.js";

const LEAST_HEADINGS = 3;
const LEAST_CHARACTERS = 1_500;
const HEADING = /^ {0,3}#{1,6}\s+\S/gm;

/** @param {{text: string}} props Markdown */
export function Outline({text}) {
  const place = useRef(null);
  const headings = useSignal([]);
  if (text.length < LEAST_CHARACTERS || (text.match(HEADING) ?? []).length < LEAST_HEADINGS) return null;
  const read = () => {
    const prose = place.current.parentElement.querySelector(".prose");
    headings.value = [...prose.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  };
  const go = heading => {
    heading.tabIndex = -1;
    heading.focus({preventScroll: true});
    heading.scrollIntoView({block: "start"});
  };
  return html`
    <details ref=${place} class="outline" onToggle=${read}>
      <summary>${t("reply.outline")}</summary>
      <ul>${headings.value.map(heading => html`
        <li class="level-${heading.localName.slice(1)}"><button type="button" class="link" onClick=${() => go(heading)}>${heading.textContent}</button></li>`)}
      </ul>
    </details>`;
}
