/** A list of options of which one is active, while the focus stays in the field: ARIA's listbox. */

import {html, useEffect, useId, useRef, useSignal} from "./html.js";
import {isPlain} from "./keys.js";
import {dialog} from "./dialog.js";
import {isHidden} from "../state/brand.js";
import {show} from "../state/route.js";
import {t} from "../state/words.js";

const STEPS = {ArrowDown: 1, ArrowUp: -1};

const open = name => () => (dialog.value = {name});

/** What the page can do from anywhere: {label, run}. */
export const pageActions = () => [
  {label: t("chats.new"), run: () => show(null)},
  {label: t("manage.title"), run: open("manage")},
  {label: t("settings.title"), run: open("settings")},
  ...(isHidden("shortcuts") ? [] : [{label: t("shortcuts.title"), run: open("shortcuts")}]),
];

const folded = text => text.normalize("NFKC").toLocaleLowerCase();

/** The options whose labels have all words of a query. */
export function matching(options, query) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  return options.filter(({label}) => words.every(word => folded(label).includes(word)));
}

/**
 * @param {{label: string, kind?: string}[]} options
 * @param {(option: object) => void} run
 */
export function useOptions(options, run) {
  const id = useId();
  const at = useSignal(0);
  const list = useRef(null);
  const active = Math.min(at.value, options.length - 1);
  useEffect(() => list.current?.children[active]?.scrollIntoView({block: "nearest"}), [active]);
  return {
    list, id, active, run, options,
    first: () => (at.value = 0),
    /** Go on, or choose what is active. @returns {boolean} whether the key means that */
    press(event, choosing = ["Enter"]) {
      if (!options.length) return false;
      const isChoosing = choosing.includes(event.key) && isPlain(event, event.key) && !event.shiftKey;
      if (!isChoosing && !STEPS[event.key]) return false;
      event.preventDefault();
      if (isChoosing) run(options[active]);
      else at.value = (active + STEPS[event.key] + options.length) % options.length;
      return true;
    },
    /** Properties of the field. */
    field: {
      "aria-controls": options.length ? id : undefined,
      "aria-autocomplete": "list",
      "aria-activedescendant": options.length ? `${id}-${active}` : undefined,
    },
  };
}

/** The list itself. A press on it leaves the focus in the field. */
export const Options = ({list, id, active, run, options, label}) => html`
  <ul ref=${list} id=${id} class="options" role="listbox" tabindex="0" aria-label=${label} onMouseDown=${event => event.preventDefault()}>
    ${options.map((option, place) => html`
      <li id=${`${id}-${place}`} role="option" aria-selected=${place === active} onClick=${() => run(option)}>
        <span dir="auto">${option.label}</span> <small>${option.kind}</small>
      </li>`)}
  </ul>`;
