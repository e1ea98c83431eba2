/** A button with a menu, as the ARIA practices have them: one component for every menu of the page. */

import {html, useLayoutEffect, useRef, useSignal} from "./html.js";
import {Icon} from "./icons.js";
import {isPlain} from "./keys.js";

const GAP = 4; // pixels
const OPENERS = {ArrowDown: 0, ArrowUp: -1}; // keys on the button, with the item that they focus

/**
 * @param {object} props
 * @param {string} props.label of the menu, and of the button unless it says something itself
 * @param {object} props.button properties of the button
 * @param {(object | null | false)[]} props.items each {icon, label, act}, in a radio group also
 *   `isChecked`; "separator" stands for a line
 * @param {any} props.children what the button shows
 */
export function Menu({label, button, items, children}) {
  const focused = useSignal(null); // index of the item that gets the focus first; null while closed
  const opener = useRef(null);
  const isOpen = focused.value !== null;
  const close = () => {
    if (focused.peek() === null) return;
    focused.value = null;
    opener.current.focus();
  };
  const press = event => {
    if (!(event.key in OPENERS) || !isPlain(event, event.key)) return;
    event.preventDefault();
    focused.value = OPENERS[event.key];
  };
  return html`
    <span class="menu-place">
      <button type="button" ref=${opener} aria-haspopup="menu" aria-expanded=${isOpen} ...${button}
        onKeyDown=${press} onClick=${() => (focused.value = 0)}>${children}</button>
      ${isOpen && html`<${Items} label=${label} items=${items.filter(Boolean)} first=${focused.value} close=${close} />`}
    </span>`;
}

function Items({label, items, first, close}) {
  const place = useRef(null);
  const all = () => [...place.current.querySelectorAll("button")];
  useLayoutEffect(() => {
    const box = place.current;
    const {bottom, left, right, top} = box.previousElementSibling.getBoundingClientRect();
    box.showPopover();
    const isAbove = bottom + GAP + box.offsetHeight > innerHeight;
    const isToTheRight = right - box.offsetWidth < GAP;
    box.style.top = `${Math.max(GAP, isAbove ? top - GAP - box.offsetHeight : bottom + GAP)}px`;
    box.style.left = `${isToTheRight ? Math.max(GAP, Math.min(left, innerWidth - box.offsetWidth - GAP)) : right - box.offsetWidth}px`;
    all().at(first).focus();
  }, []);
  return html`
    <div ref=${place} popover class="menu" role="menu" aria-label=${label}
      onKeyDown=${event => move(event, all(), close)} onToggle=${({newState}) => newState === "closed" && close()}>
      ${items.map(item => (item === "separator" ? html`<hr />` : html`<${Item} ...${item} close=${close} />`))}
    </div>`;
}

function Item({icon, label, act, isChecked, close}) {
  const isChoice = isChecked !== undefined;
  return html`
    <button type="button" role=${isChoice ? "menuitemradio" : "menuitem"} aria-checked=${isChoice ? isChecked : undefined}
      tabindex="-1" onClick=${() => { close(); act(); }}>
      <${Icon} name=${icon} /> <span>${label}</span>
      ${isChecked && html`<${Icon} name="check" />`}
    </button>`;
}

/** Arrows, Home and End go to other items, letters to the next item that begins with them. */
function move(event, items, close) {
  if (event.key === "Tab") close();
  const at = items.indexOf(document.activeElement);
  const place = {ArrowDown: (at + 1) % items.length, ArrowUp: at - 1, Home: 0, End: -1}[event.key] ?? begun(event, items, at);
  if (place === null) return;
  event.preventDefault();
  items.at(place).focus();
}

function begun(event, items, at) {
  if ([...event.key].length !== 1 || event.key === " " || !isPlain(event, event.key)) return null;
  const letter = event.key.toLocaleLowerCase();
  const others = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  const found = others.find(({textContent}) => textContent.trim().toLocaleLowerCase().startsWith(letter));
  return found ? items.indexOf(found) : null;
}
