/**
 * The focus never falls to the body: when the element that has it goes, or can't have it any more, the
 * next one that was beside it gets it. What a user of the keyboard or a screen reader did last stays
 * the place from which they go on.
 */

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
const finePointer = matchMedia("(pointer: fine)"); // else the composer would open a keyboard on the screen
const NEIGHBOURS = 4; // looked at on either side

let held = null; // what has the focus
let neighbours = []; // of it, nearest first; those after it before those before it
let around = []; // what it lies in, innermost first

const canHold = element => element.isConnected && !element.disabled && element.matches(FOCUSABLE)
  && element.checkVisibility() && !element.closest("[inert]");

/** The focusable elements on one side, in the same dialog, menu or region. */
function beside(element, step) {
  const root = element.closest("dialog, [popover], aside, main") ?? document.body;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
  walker.currentNode = element;
  const found = [];
  while (found.length < NEIGHBOURS && walker[step]()) {
    if (walker.currentNode.matches(FOCUSABLE)) found.push(walker.currentNode);
  }
  return found;
}

addEventListener("focusin", ({target}) => {
  held = target;
  neighbours = [...beside(target, "nextNode"), ...beside(target, "previousNode")];
  around = [];
  for (let element = target.parentElement; element; element = element.parentElement) around.push(element);
});

addEventListener("pointerdown", ({target}) => { // somebody clicks beside everything: that is meant
  if (!target.closest?.(FOCUSABLE)) held = null;
});

function rescue() {
  const {activeElement} = document;
  if (held === null || (activeElement && activeElement !== document.body) || canHold(held)) return;
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  const places = [
    ...neighbours, ...around.filter(element => element.matches("[tabindex]")),
    ...(finePointer.matches ? document.querySelectorAll("#composer") : []), document.getElementById("main"),
    ...document.querySelectorAll("main input, main button"),
  ];
  const place = places.find(element => element && canHold(element) && (!open || open.contains(element)))
    ?? open?.querySelector("button");
  place?.focus({preventScroll: true});
}

// The browser takes the focus from what is disabled or hidden only when it draws.
const look = () => requestAnimationFrame(rescue);
new MutationObserver(look).observe(document.body, {
  attributes: true, attributeFilter: ["disabled", "hidden", "inert", "open"], childList: true, subtree: true,
});
