/** How the server presents itself: `--brand` renders this into the page. */

const given = document.getElementById("brand");

/** @type {{name: string, icon?: string, welcome: string | null, hidden: string[]}} */
export const brand = given ? JSON.parse(given.textContent) : {name: "Quillium", welcome: null, hidden: []};

/** @param {"shortcuts" | "sign_up" | "suggestions"} part of the page */
export const isHidden = part => brand.hidden.includes(part);
