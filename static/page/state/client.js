/** The one client of this page; whoever shows something lists it again when it is told to. */

import {Quillium} from "../../quillium.js";

const listers = [];

/** `list` is called when the line begins, and when what was missed can't be told. */
export const whenListing = list => listers.push(list);

export const quillium = new Quillium({resync: () => Promise.all(listers.map(list => list()))});

/** @param {string} type of an event of `Quillium` */
export const on = (type, hear) => quillium.addEventListener(type, ({detail}) => hear(detail));
