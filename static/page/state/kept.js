/** Small preferences of this browser, for as long as the tab lives where it refuses to store them. */

const here = new Map();

/** @returns {string | null} */
export function recall(key) {
  try {
    return here.get(key) ?? localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key, value) {
  try {
    localStorage.setItem(key, value);
    here.delete(key);
  } catch {
    here.set(key, value);
  }
}
