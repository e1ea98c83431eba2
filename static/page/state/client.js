/** The one client of this page, and what has to be listed when it connects. */

import {signal} from "../../vendor/signals.js";
import {Quillium} from "../../quillium.js";
import {NAME, ROOT} from "./place.js";

const listers = [];

/** `list` is called when the connection begins, and when what was missed can't be told. */
export const whenListing = list => listers.push(list);

/** Why the page could not be listed; null when it was. The client tries again by itself. */
export const listingError = signal(null);

export const quillium = new Quillium({
  base: new URL("api/v1", ROOT).href,
  name: NAME,
  resync: async () => {
    await Promise.all(listers.map(list => list()));
    listingError.value = null;
  },
});

/** @param {string} type of an event of `Quillium` */
export const on = (type, hear) => quillium.addEventListener(type, ({detail}) => hear(detail));

on("unlisted", error => (listingError.value = error));
on("session", () => (listingError.value = null));
