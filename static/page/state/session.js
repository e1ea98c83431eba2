/** The signed-in user, their settings, and the state of the connection. */

import {computed, effect, signal} from "../../vendor/signals.js";
import {on, quillium, whenListing} from "./client.js";
import {clearDrafts, loadDrafts} from "./drafts.js";
import {keep} from "./kept.js";
import {closeNotices, notify, tellError} from "./notices.js";
import {language, speak, t} from "./words.js";

const AWAY_MS = 1_500; // shorter disconnects are not shown

export const isSignedIn = signal(quillium.isSignedIn);
export const hasExpired = signal(quillium.hasEnded); // the session ended, and nobody asked for it
export const isAway = signal(false);
export const limitedUntil = signal(0); // the end of a wait for the rate limit; milliseconds
export const user = signal(null);
export const settings = signal(null);
export const models = signal([]);
export const isAdmin = computed(() => user.value?.is_admin ?? false);

// The connection

let awayTimer = 0;
on("status", status => {
  if (status === "online") {
    clearTimeout(awayTimer);
    [awayTimer, isAway.value] = [0, false];
  } else if (isSignedIn.value) {
    awayTimer ||= setTimeout(() => (isAway.value = true), AWAY_MS);
  }
});

on("waiting", seconds => {
  limitedUntil.value = Math.max(limitedUntil.value, Date.now() + 1000 * seconds);
});

// The session

on("session", isIn => {
  hasExpired.value = quillium.hasEnded;
  if (!isIn) {
    clearTimeout(awayTimer);
    awayTimer = 0;
    [user.value, settings.value, models.value, isAway.value] = [null, null, [], false];
  }
  isSignedIn.value = isIn;
});

let firstLanguage = null; // of an account that was just made: the page's

whenListing(async () => {
  await loadDrafts();
  const language = firstLanguage;
  [user.value, settings.value] = await Promise.all([
    quillium.call("GET", "/users/me"),
    language ? quillium.call("PUT", "/settings/user", {language}) : quillium.call("GET", "/settings/user"),
    loadModels(),
  ]);
  firstLanguage = null;
  await speak(settings.value.language).catch(tellError);
});

export async function loadModels() {
  models.value = await allModels();
}

async function allModels() {
  const all = [];
  for (;;) {
    const {data, pagination} = await quillium.call("GET", `/models?limit=100&offset=${all.length}`);
    all.push(...data);
    if (!data.length || all.length >= pagination.total) return all;
  }
}

/** Make an account that speaks the language of the page. @returns {Promise<object>} the user */
export function register(email, password, name, setupCode) {
  firstLanguage = language();
  return quillium.register(email, password, name, setupCode);
}

export const login = (email, password) => quillium.login(email, password);

export async function logout(options) {
  await closeNotices(); // a chat that was deleted is, before nobody may any more
  const count = quillium.outbox.length;
  clearDrafts();
  try {
    await quillium.logout(options);
  } finally {
    if (count) notify(t("session.waiting", {count}), {isLasting: true});
  }
}

export async function changeUser(changes) {
  user.value = await quillium.call("PUT", "/users/me", changes);
}

export async function changeSettings(changes) {
  settings.value = await quillium.call("PUT", "/settings/user", changes);
  if (changes.language) await speak(changes.language);
}

// The theme, which `theme.js` sets before anything is drawn

effect(() => {
  if (!settings.value) return;
  document.documentElement.dataset.theme = settings.value.theme;
  keep("quillium-theme", settings.value.theme);
});

addEventListener("storage", ({key, newValue}) => { // another tab chose another
  if (!settings.value || !newValue) return;
  if (key === "quillium-theme") settings.value = {...settings.value, theme: newValue};
  if (key === "quillium-language") speak(newValue);
});
