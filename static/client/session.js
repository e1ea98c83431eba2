/** The session's tokens, shared by all tabs of the origin and refreshed once for all of them. */

import {QuilliumError, SIGNED_OUT} from "./errors.js";
import {locked} from "./tabs.js";

const EARLY_MS = 30_000; // before the expiry
const REFRESH_MS = 15_000;
const VISIBLE_MS = 1_000; // until another tab's write to the storage must be visible

/** `localStorage`, or memory if it is unavailable. */
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

/** The user's id in our access tokens (JWT, RFC 7519); undefined for other tokens. */
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
  #rejected = null; // the access token that the server reported as expired or invalid
  #unstored; // the session, if the storage is full

  constructor({name, storage, http, changed}) {
    this.#name = name;
    this.#storage = storage;
    this.#http = http;
    this.#changed = changed;
  }

  /** The stored session: {access_token, refresh_token, ends_at, account}; null when signed out. */
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
      return null; // another program's data, or storage is unavailable
    }
  }

  #write(value) {
    this.#unstored = undefined;
    try {
      if (value === null) this.#storage.removeItem(this.#name);
      else this.#storage.setItem(this.#name, JSON.stringify(value));
    } catch {
      this.#unstored = value; // storage is full: store it in this tab
    }
    this.#changed();
  }

  store({access_token, refresh_token, expires_in, account}) {
    const ends_at = expires_in === undefined ? undefined : Date.now() + 1000 * expires_in;
    this.#write({access_token, refresh_token, ends_at, account: account ?? accountIn(access_token)});
  }

  /** Delete the tokens when the user signs out. */
  clear() {
    if (this.tokens) this.#write(null);
  }

  /** Delete the tokens after the server rejected `token`, unless they have been replaced. */
  #end(token) {
    if (this.tokens?.access_token === token) this.#write({has_ended: true});
  }

  /** Mark an access token as rejected: it is refreshed before the next use. */
  markRejected(token) {
    this.#rejected = token;
  }

  /**
   * The access token to use; undefined when signed out.
   *
   * Only the server decides whether a token has expired: the local clock is a hint when to refresh it,
   * and a token that can't be refreshed now is used unchanged.
   */
  async token() {
    const {tokens} = this;
    if (!tokens) return undefined;
    if (tokens.access_token === this.#rejected) return this.refresh(tokens.access_token);
    if (!tokens.refresh_token || !(Date.now() > tokens.ends_at - EARLY_MS)) return tokens.access_token;
    try {
      return await this.refresh(tokens.access_token);
    } catch (error) {
      if (error.status === 401) throw error;
      return tokens.access_token;
    }
  }

  /** Refresh the tokens, unless another tab already replaced `token`; returns the access token. */
  async refresh(token) {
    // Without locks, two tabs may use the same token, which the server tolerates.
    const name = `${this.#name}-refresh`;
    const own = await locked(name, {ifAvailable: true},
      async lock => lock && {fresh: await this.#exchange(token)});
    if (own) return own.fresh;
    return locked(name, {}, () => this.#waitForWrite(token).then(() => this.#exchange(token)));
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
      const options = {timeout: REFRESH_MS}; // retryable (contract, section 4)
      const fresh = await this.#http.send("POST", "/auth/refresh", {refresh_token}, undefined, options);
      // Don't overwrite a sign-out or sign-in that happened meanwhile.
      if (this.tokens?.refresh_token === refresh_token) this.store({...fresh, account});
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#end(token);
      if (!this.tokens) throw error;
    }
    return this.tokens?.access_token;
  }

  /** Wait until another tab's write is visible here, possibly after its lock was released. */
  #waitForWrite(token) {
    if (this.tokens?.access_token !== token) return Promise.resolve();
    return new Promise(resolve => {
      globalThis.addEventListener?.("storage", resolve, {once: true});
      setTimeout(resolve, VISIBLE_MS);
    });
  }
}
