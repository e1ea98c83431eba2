/** The page's translations. A test checks that the files of all languages are complete. */

import {signal} from "../../vendor/signals.js";
import {QuilliumError} from "../../quillium.js";
import {brand} from "./brand.js";
import {keep, recall} from "./kept.js";

export const LANGUAGES = {
  en: "English", de: "Deutsch", fr: "Français", es: "Español", zh: "中文",
};
const KEPT = "quillium-language";

const spoken = signal({language: "en", words: {}});

/** The language of the page, one of `LANGUAGES`. */
export const language = () => spoken.value.language;

/** The language of ours that is nearest to a BCP 47 tag; undefined if there is none. */
const nearest = tag => Object.keys(LANGUAGES).find(own => own === tag.toLowerCase().split("-")[0]);

/** The language before signing in: the last one used in this browser, else the browser's own. */
export const firstLanguage = () =>
  recall(KEPT) ?? navigator.languages.map(nearest).find(Boolean) ?? "en";

/**
 * Speak the language of a BCP 47 tag, or English if we don't know it.
 *
 * @throws {QuilliumError} when its words can't be loaded; the page then speaks as before
 */
export async function speak(tag) {
  const chosen = nearest(tag) ?? "en";
  if (chosen === spoken.value.language && Object.keys(spoken.value.words).length) return;
  const words = await load(new URL(`../languages/${chosen}.json`, import.meta.url));
  keep(KEPT, chosen);
  document.documentElement.lang = chosen;
  spoken.value = {language: chosen, words};
}

async function load(address) {
  try {
    const response = await fetch(address);
    if (response.ok) return await response.json();
  } catch { // the same as below
  }
  throw new QuilliumError({code: "offline", message: "The words can't be loaded."});
}

/**
 * The words for a key. `{name}` in them is replaced by `values.name`, and `{brand}` by the product's
 * name; where `values.count` is given, the key's `.one` or `.other` is taken, as the language has it.
 */
export function t(key, values = {}) {
  const {words} = spoken.value;
  const rule = values.count === undefined ? "" : new Intl.PluralRules(language()).select(values.count);
  const text = words[`${key}.${rule}`] ?? words[`${key}.other`] ?? words[key] ?? key;
  return filled(text, {brand: brand.name, ...values});
}

/** Replace each `{name}` in a text by `values.name`. */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

const has = key => key in spoken.value.words;

// Times

/** How times are written: as the browser's own tag of the language has it (`en-GB`), if it has one. */
const locale = () => navigator.languages.find(tag => nearest(tag) === language()) ?? language();

const isToday = time => time.toDateString() === new Date().toDateString();

/** Short: the time of day, for what is not of today the day. @param {string} timestamp RFC 3339 */
export function shortTime(timestamp) {
  const time = new Date(timestamp);
  if (isToday(time)) return time.toLocaleTimeString(locale(), {timeStyle: "short"});
  const isThisYear = time.getFullYear() === new Date().getFullYear();
  const form = {day: "numeric", month: "short", ...(!isThisYear && {year: "numeric"})};
  return time.toLocaleDateString(locale(), form);
}

export const fullTime = timestamp =>
  new Date(timestamp).toLocaleString(locale(), {dateStyle: "full", timeStyle: "short"});

// Errors

/** What went wrong and what to do, for an error of the API, of a message or of the line. */
export function inWords({code, message, details = message, retryAfter}) {
  if (code === "rate_limited" && retryAfter) return t("error.wait", {count: retryAfter});
  return t(has(`error.${code}`) ? `error.${code}` : "error.unknown", {details});
}
