/** Bring elements up to date without replacing those that stay the same. */

/** Elements whose content is drawn from a source: {source, update(source)}, by element. */
export const drawn = new WeakMap();

/** Give `old` the children of `fresh`. What is selected, focused or scrolled in it stays so. */
export function morph(old, fresh) {
  let next = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    if (!next) old.append(node);
    else if (isAlike(next, node)) {
      update(next, node);
      next = next.nextSibling;
    } else {
      const replaced = next;
      next = next.nextSibling;
      replaced.replaceWith(node);
    }
  }
  while (next) {
    const surplus = next;
    next = next.nextSibling;
    surplus.remove();
  }
}

const isAlike = (old, fresh) => old.nodeName === fresh.nodeName && drawn.has(old) === drawn.has(fresh);

function update(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) setText(old, fresh.data);
  else if (drawn.has(fresh)) {
    setAttributes(old, fresh);
    const {source} = drawn.get(fresh);
    if (drawn.get(old).source !== source) drawn.get(old).update(source);
  } else if (!old.isEqualNode(fresh)) {
    setAttributes(old, fresh);
    morph(old, fresh);
  }
}

/** What is selected in a text stays selected while it grows. */
export function setText(node, text) {
  if (node.data === text) return;
  if (text.startsWith(node.data)) node.appendData(text.slice(node.length));
  else node.data = text;
}

/** `open` is the reader's. */
const ownAttributes = element => element.getAttributeNames().filter(name => name !== "open");

/** @param {string[]} [names] of the attributes; all that one of them has if it isn't given */
export function setAttributes(old, fresh, names = [...new Set([...ownAttributes(old), ...ownAttributes(fresh)])]) {
  for (const name of names) {
    const value = fresh.getAttribute(name);
    if (value === null) old.removeAttribute(name);
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
