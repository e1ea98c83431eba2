/** The tokens of who is signed in: kept for all tabs of the origin, and refreshed once for all. */

import {QuilliumError, SIGNED_OUT} from "./errors.js";
import {locked} from "./tabs.js";

const EARLY_MS = 30_000; // a token is refreshed before it expires
const REFRESH_MS = 15_000;
const SEEN_MS = 1_000; // for what another tab has stored to be seen; else it has stored nothing

/** `localStorage`, or the memory where the browser refuses it or there is none. */
export function defaultStorage() {
  const items = new Map();
  const memory = {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: key => void items.delete(key),
  };
  try {
    return globalThis.document && localStorage ? localStorage : memory;
  } catch {
    return memory; // a SecurityError
  }
}

/** The user's id in an access token of ours (a JWT, RFC 7519); undefined for any other. */
export function accountIn(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(payload)).sub;
  } catch {
    return undefined;
  }
}

export class Session {
  #name;
  #storage;
  #http;
  #changed;
  #refused = null; // the access token that the server has called expired or invalid
  #unstored; // what the storage had no room for

  constructor({name, storage, http, changed}) {
    this.#name = name;
    this.#storage = storage;
    this.#http = http;
    this.#changed = changed;
  }

  /** What is stored: {access_token, refresh_token, ends_at, account}; null when signed out. */
  get tokens() {
    const stored = this.#unstored === undefined ? this.#read() : this.#unstored;
    if (!stored?.access_token) return null;
    return {...stored, account: stored.account ?? accountIn(stored.access_token)};
  }

  get account() {
    return this.tokens?.account ?? null;
  }

  /** Whether the server ended the last session, rather than the user. */
  get hasEnded() {
    return this.#read()?.has_ended === true;
  }

  #read() {
    try {
      return JSON.parse(this.#storage.getItem(this.#name) ?? "null");
    } catch {
      return null; // another program's, or the storage is refused
    }
  }

  #write(value) {
    this.#unstored = undefined;
    try {
      if (value === null) this.#storage.removeItem(this.#name);
      else this.#storage.setItem(this.#name, JSON.stringify(value));
    } catch {
      this.#unstored = value; // no room: this tab still knows
    }
    this.#changed();
  }

  keep({access_token, refresh_token, expires_in, account}) {
    const ends_at = expires_in === undefined ? undefined : Date.now() + 1000 * expires_in;
    this.#write({access_token, refresh_token, ends_at, account: account ?? accountIn(access_token)});
  }

  /** Forget the tokens because the user signs out. */
  leave() {
    if (this.tokens) this.#write(null);
  }

  /** Forget the tokens because the server refuses `token`, unless others have taken its place. */
  #end(token) {
    if (this.tokens?.access_token === token) this.#write({has_ended: true});
  }

  /** The server refuses this access token: it is refreshed before it is used again. */
  refuse(token) {
    this.#refused = token;
  }

  /**
   * The access token to use; undefined when signed out.
   *
   * Only the server decides whether a token has expired: the local clock merely suggests when to
   * refresh it, and a token that can't be refreshed for now is tried as it is.
   */
  async token() {
    const {tokens} = this;
    if (!tokens) return undefined;
    if (tokens.access_token === this.#refused) return this.refresh(tokens.access_token);
    if (!tokens.refresh_token || !(Date.now() > tokens.ends_at - EARLY_MS)) return tokens.access_token;
    try {
      return await this.refresh(tokens.access_token);
    } catch (error) {
      if (error.status === 401) throw error;
      return tokens.access_token;
    }
  }

  /** Exchange the tokens, unless another tab did so since `token` was read; the access token. */
  async refresh(token) {
    // Without locks, the server tolerates that two tabs use a token at once.
    const name = `${this.#name}-refresh`;
    const mine = await locked(name, {ifAvailable: true},
      async lock => lock && {fresh: await this.#exchange(token)});
    if (mine) return mine.fresh;
    return locked(name, {}, () => this.#seen(token).then(() => this.#exchange(token)));
  }

  async #exchange(token) {
    const {tokens} = this;
    if (tokens?.access_token !== token) return tokens?.access_token;
    const {account, refresh_token} = tokens;
    if (!refresh_token) {
      this.#end(token);
      throw new QuilliumError(SIGNED_OUT, 401);
    }
    try {
      const options = {timeout: REFRESH_MS}; // it may be sent again (contract, section 4)
      const fresh = await this.#http.send("POST", "/auth/refresh", {refresh_token}, undefined, options);
      // Who signed out or in meanwhile must not be overwritten.
      if (this.tokens?.refresh_token === refresh_token) this.keep({...fresh, account});
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#end(token);
      if (!this.tokens) throw error;
    }
    return this.tokens?.access_token;
  }

  /** Wait until this tab sees what another one has stored, which may be later than its lock ends. */
  #seen(token) {
    if (this.tokens?.access_token !== token) return Promise.resolve();
    return new Promise(resolve => {
      globalThis.addEventListener?.("storage", resolve, {once: true});
      setTimeout(resolve, SEEN_MS);
    });
  }
}
