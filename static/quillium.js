/**
 * A client of the Quillium API for any front end, without dependencies: sessions, typed errors, and a
 * lossless socket. Guarantees:
 *
 * - Tokens are refreshed once for all tabs, and signing in or out applies to all tabs.
 * - Messages are stored by the server exactly once and in order: they are kept in IndexedDB and resent
 *   with the same `client_id` until they are acknowledged, across reloads, closed tabs and new sessions
 *   of the same account, and never for another account. This includes chats that are created offline.
 * - Each frame is delivered once and in order. After a disconnect the socket resumes where it was; if
 *   that is impossible, and initially, `resync` is called, and frames are queued until it completes.
 * - In a visible tab, a half-open connection is replaced within 20 s.
 *
 *     const quillium = new Quillium({resync: () => reloadChats()});
 *     quillium.addEventListener("message", ({detail}) => render(detail));
 *     await quillium.login("ada@example.com", "a good password");
 *     quillium.connect();
 *     const stored = await quillium.say(chatId, "Hello");
 *
 * docs/page.md and quillium.d.ts document its methods and events. It also runs in Node, and can be
 * constructed during server-side rendering.
 *
 * @module
 */
// Joined from static/client/*.js by packaging/client.py: edit those.


/** API errors, and which of them can be retried. */

/** An error of the API (docs/api.md); `code` is "offline" if there was no response. */
class QuilliumError extends Error {
  /**
   * @param {{code: string, message: string, details: string}} error
   * @param {number} [status] HTTP status; 0 if there was no response
   * @param {number} [retryAfter] seconds
   */
  constructor(error, status = 0, retryAfter = 0) {
    super(error.details || error.message);
    this.name = "QuilliumError";
    this.code = error.code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const OFFLINE = {code: "offline", message: "No response", details: "The server can't be reached."};
const BROKEN_OFF = {code: "offline", message: "No response", details: "The response was incomplete."};
const SIGNED_OUT = {code: "invalid_token", message: "Signed out", details: "You are signed out."};
const DESTROYED = {code: "destroyed", message: "Destroyed", details: "This client was destroyed."};
const NO_SUCH_CHAT = {code: "not_found", message: "Not found", details: "There is no such chat."};

const TEMPORARY = new Set([
  "offline", "rate_limited", "storage_unavailable", "shutting_down", "internal_error",
  "unauthorized", "invalid_token", "token_expired", // the session handles these
]);

/** Whether the same request may succeed later. A gateway's errors have no API code. */
const isTemporary = error =>
  !(error instanceof QuilliumError) || TEMPORARY.has(error.code) || error.status >= 500;

/** Broadcasts and locks between the tabs of an origin, where the browser supports them. */

/**
 * A broadcast channel to the other tabs; undefined if there is none, as in Node, or if the browser
 * blocks it together with all storage.
 */
function channel(name, receive) {
  if (!globalThis.document) return undefined; // it would keep Node from exiting
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({data}) => receive(data);
    return opened;
  } catch {
    return undefined;
  }
}

/**
 * Run `work` under a Web Lock. Run it without one if locks are unavailable (pages served neither over TLS
 * nor from this machine), blocked by the browser, or if `options.signal` ends the wait.
 */
async function locked(name, options, work) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work({});
  let hasBegun = false;
  try {
    return await locks.request(name, options, lock => {
      hasBegun = true;
      return work(lock);
    });
  } catch (error) {
    if (hasBegun) throw error;
    return work({});
  }
}

/** Requests to the API: URLs, time-outs and typed errors, independent of sessions. */


const RESPONSE_MS = 30_000; // until the response headers arrive
const READ_MS = 15_000; // the same for requests that can be retried
const BODY_MS = 300_000; // until the response ends
const SLOWEST_UPLOAD = 16; // bytes per millisecond; a large body gets more time
const API_PREFIX = /^(?:\/[^/?#]+)*?(?:\/api)?\/v1(?=\/)/; // of links, with the base path (contract, section 1)

class Http {
  #base;
  #headers;
  #fetch;
  #upload;

  /**
   * @param {string} base URL of the API, absolute or relative to the page
   * @param {Record<string, string> | (() => Record<string, string>)} headers sent with each request
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, headers, fetcher) {
    this.#base = base;
    this.#headers = headers;
    this.#fetch = fetcher ?? ((...request) => fetch(...request));
    // `fetch` doesn't report progress, and Node has nothing else.
    this.#upload = fetcher || !globalThis.XMLHttpRequest ? this.#fetch : fetchWithProgress;
  }

  /** The absolute URL of the API, without a trailing slash. */
  get base() {
    return new URL(this.#base, globalThis.location?.href).href.replace(/\/$/, "");
  }

  /**
   * The URL of a path below the base, or of a link in an API response.
   *
   * @throws {TypeError} for another server's URL, which must never receive the token
   */
  address(path) {
    const {base} = this;
    if (/^https?:/i.test(path)) {
      if (path === base || path.startsWith(`${base}/`)) return path;
      throw new TypeError(`${path} is not an address below ${base}`);
    }
    if (!/^\/(?!\/)/.test(path)) throw new TypeError(`${path} is not a path of the API`);
    const own = new URL(base).pathname;
    const isOwn = own !== "/" && path.startsWith(`${own}/`);
    return base + (isOwn ? path.slice(own.length) : path.replace(API_PREFIX, ""));
  }

  /**
   * Send a request. A read without a response is retried once, because its connection may be half-open.
   *
   * @returns {Promise<any>} the response's body in the form `as`; null if there is none
   * @throws {QuilliumError}
   * @throws {DOMException} `AbortError` if `signal` was aborted
   */
  async send(method, path, body, token, options = {}) {
    if (method !== "GET") return this.#send(method, path, body, token, options);
    try {
      return await this.#send(method, path, body, token, {timeout: READ_MS, ...options});
    } catch (error) {
      if (!error.isTimeout) throw error;
      return this.#send(method, path, body, token, options);
    }
  }

  async #send(method, path, body, token, options) {
    const {signal, keepalive, as = "json", headers, timeout = RESPONSE_MS, onProgress} = options;
    const address = this.address(path);
    const isFile = body instanceof Blob;
    const sent = body === undefined || isFile ? body : JSON.stringify(body);
    const ownHeaders = typeof this.#headers === "function" ? this.#headers() : this.#headers;
    const limit = new AbortController();
    let timer = setTimeout(() => limit.abort(), timeout + (sent?.size ?? sent?.length ?? 0) / SLOWEST_UPLOAD);
    try {
      const response = await (onProgress ? this.#upload : this.#fetch)(address, {
        method, keepalive, body: sent, onProgress,
        headers: {
          ...(sent !== undefined && {"Content-Type": isFile ? "application/octet-stream" : "application/json"}),
          ...(token && {Authorization: `Bearer ${token}`}),
          ...ownHeaders, ...headers,
        },
        signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      });
      clearTimeout(timer);
      if (response.ok && as === "response") return response;
      timer = setTimeout(() => limit.abort(), BODY_MS);
      if (!response.ok) throw await errorOf(response);
      if (as !== "json") return await response[as]();
      return JSON.parse(await response.text() || "null");
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof QuilliumError) throw error;
      const failed = new QuilliumError(error instanceof SyntaxError ? BROKEN_OFF : OFFLINE);
      throw Object.assign(failed, {isTimeout: limit.signal.aborted});
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Like `fetch`, with `onProgress(share)`, which is called while the body is sent. */
function fetchWithProgress(address, {method, body, headers, signal, onProgress}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({loaded, total}) => total && onProgress(loaded / total);
    request.onload = () => resolve(new Response(request.response, {
      status: request.status,
      headers: {"Retry-After": request.getResponseHeader("Retry-After") ?? ""},
    }));
    request.onerror = request.onabort = reject;
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

async function errorOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const parsed = await response.json().catch(() => null); // a gateway's error page
  return new QuilliumError(parsed?.error?.code ? parsed.error : OFFLINE, response.status, retryAfter);
}

/** The session's tokens, shared by all tabs of the origin and refreshed once for all of them. */


const EARLY_MS = 30_000; // before the expiry
const REFRESH_MS = 15_000;
const VISIBLE_MS = 1_000; // until another tab's write to the storage must be visible

/** `localStorage`, or memory if it is unavailable. */
function defaultStorage() {
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
function accountIn(token) {
  try {
    const payload = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(payload)).sub;
  } catch {
    return undefined;
  }
}

class Session {
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

/** Authenticated requests, with token refresh and waiting for rate limits. */


const LONGEST_WAIT_SECONDS = 60; // for a rate limit; its bucket is full again by then

const CREATE_MS = 15_000; // creating a chat with a `client_id` can be retried

class Calls {
  #http;
  #session;
  #onWait;
  #supportsClientIds = true; // whether the server supports a `client_id` for chats

  /**
   * @param {Http} http
   * @param {Session} session
   * @param {(seconds: number) => void} onWait called with the seconds before waiting for a rate limit
   */
  constructor(http, session, onWait) {
    this.#http = http;
    this.#session = session;
    this.#onWait = onWait;
  }

  /** See `Quillium.call`. With an `account`, the request is sent only for that account. */
  async call(method, path, body, options = {}, account = null) {
    let hasRefreshed = false;
    let hasWaited = false;
    for (;;) {
      const token = await this.#session.token();
      if (account !== null && this.#session.account !== account) throw new QuilliumError(SIGNED_OUT, 401);
      try {
        return await this.#http.send(method, path, body, token, options);
      } catch (error) {
        const isRefused = token && (error.code === "token_expired" || error.code === "invalid_token");
        const isLimited = error.code === "rate_limited" && error.retryAfter <= LONGEST_WAIT_SECONDS;
        if (isRefused && !hasRefreshed) {
          hasRefreshed = true;
          await this.#session.refresh(token);
        } else if (isLimited && !hasWaited) {
          hasWaited = true;
          this.#onWait(error.retryAfter);
          await new Promise(resolve => setTimeout(resolve, 1000 * error.retryAfter));
          options.signal?.throwIfAborted();
        } else {
          throw error;
        }
      }
    }
  }

  /** Create a chat, idempotently. */
  async createChat(chat, clientId, account) {
    if (this.#supportsClientIds) {
      try {
        return await this.call("POST", "/chats", {...chat, client_id: clientId}, {timeout: CREATE_MS}, account);
      } catch (error) {
        if (error.status !== 400 || !error.message.includes("client_id")) throw error;
        this.#supportsClientIds = false; // an older server
      }
    }
    return this.call("POST", "/chats", chat, {}, account);
  }
}

/**
 * Per-account records in IndexedDB: the outbox and drafts.
 *
 * Every method rejects if storage is unavailable (private windows, a full disk, server rendering); the
 * caller then keeps its data in memory. Writes are committed immediately, so they survive if the tab is
 * closed right afterwards.
 */

const OPEN_MS = 3_000; // then storage counts as unavailable

const STORES = ["outbox", "created", "drafts"];

class Records {
  #name;
  #opening = null;

  constructor(name) {
    this.#name = name;
  }

  /** The records of an account in each of the stores, in order of insertion. */
  async all(account, ...stores) {
    let requests;
    await this.#transact(stores, "readonly", transaction => {
      requests = stores.map(store => transaction.objectStore(store).index("account").getAll(account));
    });
    return requests.map(({result}) => result);
  }

  /** Append records to the outbox atomically. @returns {Promise<number[]>} places */
  async append(records) {
    let requests;
    await this.#transact(["outbox"], "readwrite", transaction => {
      requests = records.map(record => transaction.objectStore("outbox").add(record));
    });
    return requests.map(({result}) => result);
  }

  /** Remove a record from the outbox. @returns {Promise<boolean>} whether this call removed it */
  async remove(place) {
    let isRemoved = false;
    await this.#transact(["outbox"], "readwrite", transaction => {
      const outbox = transaction.objectStore("outbox");
      const found = outbox.getKey(place);
      found.onsuccess = () => {
        isRemoved = found.result !== undefined;
        if (isRemoved) outbox.delete(place);
      };
    }, {commitsAtOnce: false});
    return isRemoved;
  }

  /** Insert or replace a record. */
  put(store, record) {
    return this.#transact([store], "readwrite", transaction => transaction.objectStore(store).put(record));
  }

  /** Delete a record, if it exists. */
  delete(store, key) {
    return this.#transact([store], "readwrite", transaction => transaction.objectStore(store).delete(key));
  }

  /** Delete all records of an account. */
  deleteAccount(account) {
    return this.#transact(STORES, "readwrite", transaction => {
      for (const name of STORES) {
        const store = transaction.objectStore(name);
        const keys = store.index("account").getAllKeys(account);
        keys.onsuccess = () => keys.result.forEach(key => store.delete(key));
      }
    }, {commitsAtOnce: false});
  }

  /** Close the database; the next call opens it again. */
  close() {
    this.#opening?.then(database => database.close(), () => {});
    this.#opening = null;
  }

  async #transact(stores, mode, work, {commitsAtOnce = true} = {}) {
    const database = await this.#open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(stores, mode);
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted."));
      transaction.oncomplete = () => resolve();
      work(transaction);
      if (mode === "readwrite" && commitsAtOnce) transaction.commit();
    });
  }

  #open() {
    this.#opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      const timer = setTimeout(() => reject(new Error("IndexedDB does not respond.")), OPEN_MS);
      request.onupgradeneeded = () => {
        const account = store => store.createIndex("account", "account");
        account(request.result.createObjectStore("outbox", {keyPath: "place", autoIncrement: true}));
        account(request.result.createObjectStore("created", {keyPath: "local_id"}));
        account(request.result.createObjectStore("drafts", {keyPath: ["account", "chat_id"]}));
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        clearTimeout(timer);
        const forget = () => (this.#opening = null);
        request.result.onclose = forget; // the user cleared the site's data
        request.result.onversionchange = () => {
          request.result.close();
          forget();
        };
        resolve(request.result);
      };
    });
    return this.#opening;
  }
}

/**
 * A persistent WebSocket: reconnects with back-off, and detects half-open connections.
 *
 * A half-open connection looks like an idle one. Therefore, a visible tab that received nothing for
 * `QUIET_MS` sends a probe. The server must send something within `PROBE_MS` after a probe, or after any
 * frame that expects a response. Otherwise the socket is replaced at once, without the browser's closing
 * handshake, which takes a minute. In total this takes less than 20 s.
 */

const QUIET_MS = 9_000;
const PROBE_MS = 7_000;
const OPENING_MS = 15_000;
const TICK_MS = 1_000;
const LATE_MS = 3_000; // a later tick means that the tab was frozen, with received frames unread
const RECENT_MS = 2_000; // a connection with a frame this recent needs no probe
const STABLE_MS = 5_000; // a connection that breaks sooner counts as a failed attempt
const LONGEST_BACKOFF_MS = 30_000;
const OPEN = 1; // WebSocket.OPEN; Node before 22 has no WebSocket

/** A frame without effect. The server responds with an error that contains its `client_id`. */
const PROBE = {type: "typing", data: {client_id: "probe"}};
const isProbeResponse = ({type, data}) => type === "error" && data.client_id === PROBE.data.client_id;

const now = () => performance.now();
const isVisible = () => !globalThis.document?.hidden;

class ReconnectingSocket {
  #delegate;
  #socket = null; // a placeholder while its URL is being determined
  #isKeptOpen = false;
  #attempts = 0; // since the last stable connection
  #openedAt = Infinity;
  #retryTimer = 0;
  #ticker = 0;
  #tickedAt = 0;
  #receivedAt = 0;
  #awaitingSince = null; // since when a response is pending; null if none is
  #hasProbedAgain = false; // after a late tick
  #unsent = 0; // bytes in the socket's buffer at the last tick

  /**
   * @param {object} delegate handles events
   * @param {() => Promise<string | null>} delegate.address URL to connect to; null if signed out
   * @param {() => void} delegate.opened
   * @param {(frame: object) => void} delegate.received
   * @param {(reason: string) => void} delegate.refused called for close code 4401
   * @param {(status: "connecting" | "offline") => void} delegate.changed
   * @param {typeof WebSocket} [delegate.webSocket]
   */
  constructor(delegate) {
    this.#delegate = delegate;
  }

  /** Whether frames can be sent. */
  get isOpen() {
    return this.#socket?.readyState === OPEN;
  }

  /** Open the connection, without waiting for the back-off, and keep it open until `close`. */
  open() {
    this.#isKeptOpen = true;
    this.#openNow();
  }

  /** Close the connection, and stop reconnecting. */
  close() {
    this.#isKeptOpen = false;
    this.#drop();
    clearTimeout(this.#retryTimer);
  }

  /** Replace the connection immediately. */
  replace() {
    if (this.#socket === null) return;
    this.reset();
    this.#openNow();
  }

  /** Drop an unusable connection, and retry later. */
  fail() {
    this.#drop({shouldRetry: true});
  }

  /** Drop the connection, because it belongs to another session. */
  reset() {
    this.#attempts = 0;
    this.#drop();
  }

  /** Check or open the connection when the tab becomes visible or the network is back. */
  check() {
    if (!this.isOpen) this.#openNow();
    else if (now() - this.#receivedAt > RECENT_MS) this.#probe();
  }

  /** Send a frame. @returns {boolean} whether the connection was open */
  write(type, data) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify({type, data}));
    return true;
  }

  /** Replace the connection unless the server sends something soon. */
  expectResponse() {
    this.#awaitingSince ??= now();
  }

  #openNow() {
    clearTimeout(this.#retryTimer);
    if (this.#isKeptOpen && this.#socket === null) this.#open();
  }

  async #open() {
    const placeholder = {close() {}};
    this.#socket = placeholder; // prevents a second connection meanwhile
    this.#openedAt = Infinity;
    this.#delegate.changed("connecting");
    let address;
    try {
      address = await this.#delegate.address();
    } catch {
      address = undefined; // the server is unreachable: retry later
    }
    if (this.#socket !== placeholder) return;
    if (!address) {
      this.#drop({shouldRetry: address === undefined});
      return;
    }
    const Socket = this.#delegate.webSocket ?? WebSocket;
    const socket = new Socket(address);
    this.#socket = socket;
    this.#retryTimer = setTimeout(() => this.#drop({shouldRetry: true}), OPENING_MS);
    socket.onopen = () => this.#opened();
    socket.onmessage = ({data}) => this.#received(data);
    socket.onclose = ({code, reason}) => {
      if (code === 4401) this.#delegate.refused(reason);
      this.#drop({shouldRetry: true});
    };
  }

  #opened() {
    clearTimeout(this.#retryTimer);
    this.#openedAt = this.#receivedAt = this.#tickedAt = now();
    [this.#awaitingSince, this.#hasProbedAgain, this.#unsent] = [null, false, 0];
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#delegate.opened();
  }

  #received(text) {
    this.#receivedAt = now();
    [this.#awaitingSince, this.#hasProbedAgain] = [null, false];
    const frame = JSON.parse(text);
    if (!isProbeResponse(frame)) this.#delegate.received(frame);
  }

  /** Drop the socket and ignore its further events. */
  #drop({shouldRetry = false} = {}) {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    clearInterval(this.#ticker);
    clearTimeout(this.#retryTimer);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#delegate.changed("offline");
    if (!shouldRetry || !this.#isKeptOpen) return;
    if (now() > this.#openedAt + STABLE_MS) this.#attempts = 0;
    const longest = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** this.#attempts++);
    this.#retryTimer = setTimeout(() => this.#openNow(), Math.random() * longest);
  }

  #probe() {
    this.#awaitingSince ??= now();
    this.write(PROBE.type, PROBE.data);
  }

  #tick() {
    if (!this.isOpen) return;
    const isLate = now() - this.#tickedAt > LATE_MS;
    this.#tickedAt = now();
    const unsent = this.#socket.bufferedAmount ?? 0;
    const isSending = unsent < this.#unsent; // the connection is slow, but not half-open
    this.#unsent = unsent;
    if (this.#awaitingSince === null) {
      if (isVisible() && now() - this.#receivedAt > QUIET_MS) this.#probe();
    } else if (isSending) {
      this.#awaitingSince = now();
    } else if (isLate && !this.#hasProbedAgain) {
      this.#hasProbedAgain = true;
      this.#awaitingSince = now();
      this.#probe();
    } else if (now() - this.#awaitingSince > PROBE_MS) {
      this.replace();
    }
  }
}

/**
 * The outbox of an account: sends new chats and messages in order and exactly once.
 *
 * Each entry is stored before it is sent and removed once the server has acknowledged it. Its
 * `client_id` makes retries idempotent. One entry is in flight at a time, so retries keep the order.
 * All tabs of an origin share the queue, and a lock selects the tab that sends. Without locks, two tabs
 * may send the same entry, which is harmless. An account's entries are sent only over its own session.
 */


const RATE_LIMIT_MS = 5_000; // for a rate limit without `Retry-After`
const LONGEST_RETRY_MS = 30_000;
const LOCK_MS = 15_000; // a tab that holds the lock longer is assumed frozen
const MAX_SERVER_ERRORS = 6; // of one entry; then it is rejected
const MAX_CREATED = 500; // chats whose local ids are kept, for addresses with a local id
const MAX_SETTLED = 500; // then the records are read, and the ids that they no longer have forgotten

/** A local id of a chat that is not on the server yet; it is also the chat's `client_id`. */
const isLocal = chatId => chatId.startsWith("new_");

const hexadecimal = byte => byte.toString(16).padStart(2, "0");
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), hexadecimal).join("");

/** An entry to store: files as bytes, because WebKit can't store a `Blob` in private windows. */
const withBytes = async ({files = [], ...entry}) => ({...entry, files: await Promise.all(files.map(bytesOf))});

const bytesOf = async file => (file instanceof Blob
  ? {name: file.name, type: file.type, bytes: await file.arrayBuffer()} : file);

/** The entry that `withBytes` stored. */
const withFiles = ({files = [], ...entry}) => ({...entry, files: files.map(fileOf)});

const fileOf = ({bytes, ...file}) => (bytes ? new File([bytes], file.name ?? "file", file) : file);

class Queue {
  #records;
  #name;
  #channel; // to the other tabs
  #deliver;
  #upload;
  #fileIds = new Map(); // ids of uploaded files, by the client id of their message
  #emit;
  #account = null;
  #entries = []; // sorted by `place`, which is undefined until an entry is stored
  #settled = new Set(); // client ids of finished entries, which may still be in the records
  #promises = new Map(); // by client id: promises of callers that wait for an acknowledgement
  #created = new Map(); // server ids of chats, by local id
  #isLoaded = false;
  #loading = null; // one at a time: a stream of `added` from another tab doesn't read all again for each
  #isStale = false; // whether the records changed since the current load began
  #storing = Promise.resolve();
  #isOnline = false;
  #isSending = false;
  #holdTimer = 0; // active while sending is paused, for example by the rate limit
  #serverErrors = 0; // of the first entry
  #failures = 0; // consecutive; determines the back-off

  /**
   * @param {object} options
   * @param {Records} options.records
   * @param {string} options.name
   * @param {(entry: object, account: string) => Promise<object>} options.deliver sends an entry
   * @param {(file: Blob, tell: (share: number) => void, account: string) => Promise<object>} options.upload
   * @param {(type: string, detail: any) => void} options.emit dispatches an event
   */
  constructor({records, name, deliver, upload, emit}) {
    this.#records = records;
    this.#name = name;
    this.#deliver = deliver;
    this.#upload = upload;
    this.#emit = emit;
    this.#channel = channel(`${name}-queue`, message => {
      if (message.account === this.#account) this.#receive(message);
    });
  }

  /** Unacknowledged messages, oldest first. */
  get messages() {
    return this.#entries.filter(({chat}) => !chat).map(({chat_id, content, client_id, timestamp, files = []}) =>
      ({chat_id: this.chatId(chat_id), content, client_id, timestamp, files}));
  }

  /** Unacknowledged chats: the requested properties, with the local `id`. */
  get chats() {
    return this.#entries.filter(({chat}) => chat).map(({chat_id, chat, timestamp}) =>
      ({...chat, id: chat_id, timestamp}));
  }

  /** The server's id of a chat, if it has been created. */
  chatId(id) {
    return this.#created.get(id) ?? id;
  }

  /** Switch to an account; null for none. Entries of other accounts stay stored. */
  async open(account) {
    this.stop();
    this.#account = account;
    [this.#entries, this.#isLoaded] = [[], false];
    this.#created.clear();
    this.#emit("outbox", this.messages);
    await this.load();
  }

  /** Reload the stored entries, which other tabs may have changed. */
  load() {
    if (this.#account === null) return Promise.resolve();
    this.#isStale = true;
    this.#loading ??= this.#loadAll();
    return this.#loading;
  }

  async #loadAll() {
    try {
      while (this.#isStale && this.#account !== null) {
        this.#isStale = false;
        const account = this.#account;
        const read = await this.#records.all(account, "outbox", "created").catch(() => null);
        if (account === this.#account) this.#loaded(read);
      }
    } finally {
      this.#loading = null;
    }
  }

  /** @param {[object[], object[]] | null} read null if storage is unavailable */
  #loaded(read) {
    this.#isLoaded = true;
    if (read) {
      const [stored, created] = read;
      this.#mergeCreated(created, stored);
      this.#merge(stored);
    } else {
      this.#settled.clear(); // there are no records from which they could come back
    }
    this.#send();
  }

  /** Resolves when all added entries are stored, or storage has failed. */
  get stored() {
    return this.#storing;
  }

  /**
   * Add entries together. An entry is {client_id, chat_id} with `content`, or with `chat`.
   *
   * @returns {Promise<object>} the chat or message that the server stored for the last one
   */
  add(...entries) {
    const account = this.#account;
    const timestamp = new Date().toISOString();
    const added = entries.map(entry => ({...entry, account, timestamp}));
    this.#update([...this.#entries, ...added]);
    const last = added.at(-1).client_id;
    const acknowledged = new Promise((resolve, reject) => this.#promises.set(last, {resolve, reject}));
    this.#storing = this.#storing.then(() => this.#store(added)); // in order, as reading files takes time
    return acknowledged;
  }

  async #store(entries) {
    let places;
    try {
      places = await this.#records.append(await Promise.all(entries.map(withBytes)));
    } catch { // storage is unavailable: keep them in this tab, after the earlier entries
      const [before = 0] = this.#entries.map(({place}) => place ?? 0).sort((one, other) => other - one);
      places = entries.map((_, number) => before + (number + 1) / 1024);
      for (const entry of entries) entry.isOnlyHere = true;
    }
    entries.forEach((entry, number) => (entry.place = places[number]));
    if (entries[0].account !== this.#account) return;
    this.#update(this.#entries);
    this.#broadcast({type: "added"});
    this.#send();
  }

  /** Start sending. Call this once the account's connection is open. */
  start() {
    this.#isOnline = true;
    this.load();
  }

  /** Stop sending. */
  stop() {
    this.#isOnline = false;
    clearTimeout(this.#holdTimer);
    this.#holdTimer = 0;
  }

  /** Stop for good, and reject all pending promises. */
  destroy() {
    this.stop();
    this.#account = null;
    this.#channel?.close();
    this.#channel = undefined;
    for (const {reject} of this.#promises.values()) reject(new QuilliumError(DESTROYED));
    this.#promises.clear();
  }

  /** Handle an acknowledgement, also of an entry sent by another tab or an earlier connection. */
  settle(clientId, stored) {
    const entry = this.#remove(clientId);
    this.#promises.get(clientId)?.resolve(stored);
    this.#promises.delete(clientId);
    if (!entry) return;
    if (!entry.isOnlyHere) this.#records.remove(entry.place).catch(() => {}); // a retry is idempotent
    this.#broadcast({type: "settled", client_id: clientId, stored});
  }

  // Sending

  get #next() {
    if (!this.#isOnline || !this.#isLoaded || this.#holdTimer) return undefined;
    const [first] = this.#entries;
    return first?.place === undefined ? undefined : first;
  }

  async #send() {
    if (this.#isSending || !this.#next) return;
    this.#isSending = true;
    try {
      await locked(`${this.#name}-queue`, {signal: AbortSignal.timeout(LOCK_MS)}, async () => {
        while (this.#next) await this.#attempt(this.#next);
      });
    } finally {
      this.#isSending = false;
    }
    this.#send(); // entries added meanwhile
  }

  async #attempt(entry) {
    const account = this.#account;
    const chatId = this.chatId(entry.chat_id);
    try {
      const isOrphan = !entry.chat && isLocal(chatId);
      if (isOrphan) throw new QuilliumError(NO_SUCH_CHAT);
      const attachments = await this.#uploaded(entry, account);
      const stored = await this.#deliver({...entry, chat_id: chatId, attachments}, account);
      this.#serverErrors = this.#failures = 0;
      if (entry.chat) await this.#chatCreated(entry, stored);
      else this.settle(entry.client_id, stored);
    } catch (error) {
      if (account !== this.#account) return;
      const isPermanent = error.code === "internal_error" && ++this.#serverErrors >= MAX_SERVER_ERRORS;
      if (isTemporary(error) && !isPermanent) this.#hold(error);
      else await this.#refuse(entry, error);
    }
  }

  /**
   * Upload an entry's files, one after the other, and return their ids. An upload whose response is lost
   * is repeated; the server deletes files that no message has.
   */
  async #uploaded(entry, account) {
    const ids = this.#fileIds.get(entry.client_id) ?? [];
    this.#fileIds.set(entry.client_id, ids);
    const files = entry.files ?? [];
    for (const file of files.slice(ids.length)) {
      const tell = share => this.#emit("upload", {
        client_id: entry.client_id, share: (ids.length + share) / files.length,
      });
      ids.push(file.id ?? (await this.#upload(file, tell, account)).id);
    }
    return ids;
  }

  async #chatCreated({chat_id, client_id, account}, chat) {
    this.#created.set(chat_id, chat.id);
    this.#broadcast({type: "created", local_id: chat_id, chat, account});
    if (account === this.#account) this.#emit("created", {local_id: chat_id, chat});
    const record = {local_id: chat_id, account, chat_id: chat.id, created_at: Date.now()};
    await this.#records.put("created", record).catch(() => {});
    this.settle(client_id, chat);
  }

  /** Pause after a temporary rejection, to keep the order of the entries. */
  #hold({code, retryAfter}) {
    if (!this.#isOnline) return; // the next connection resumes
    const isLimited = code === "rate_limited";
    const backoff = Math.min(LONGEST_RETRY_MS, 1000 * 2 ** this.#failures++);
    const delay = 1000 * retryAfter || (isLimited ? RATE_LIMIT_MS : backoff);
    if (isLimited) this.#emit("waiting", delay / 1000);
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = 0;
      this.#send();
    }, delay);
  }

  /** Remove a rejected entry, and with a chat its messages. Only one tab emits `refused` for each. */
  async #refuse(entry, error) {
    const isAffected = other => other === entry || (entry.chat && other.chat_id === entry.chat_id);
    this.#serverErrors = 0;
    for (const refused of this.#entries.filter(isAffected)) {
      const {chat_id, content, client_id, place, isOnlyHere, files = []} = refused;
      const isOurs = isOnlyHere || await this.#records.remove(place).catch(() => true);
      this.#remove(client_id);
      if (isOurs && !refused.chat) this.#emit("refused", {chat_id: this.chatId(chat_id), content, files, error});
      this.#reject(client_id, error);
      this.#broadcast({type: "refused", client_id, error: {...error, details: error.message}});
    }
  }

  #reject(clientId, error) {
    this.#promises.get(clientId)?.reject(error);
    this.#promises.delete(clientId);
  }

  // Entries

  #remove(clientId) {
    this.#settled.add(clientId);
    if (this.#settled.size > MAX_SETTLED) this.load();
    this.#fileIds.delete(clientId);
    const entry = this.#entries.find(({client_id}) => client_id === clientId);
    if (entry) this.#update(this.#entries.filter(other => other !== entry));
    return entry;
  }

  #merge(stored) {
    const known = new Map(this.#entries.map(entry => [entry.client_id, entry]));
    const own = this.#entries.filter(({isOnlyHere, place}) => isOnlyHere || place === undefined);
    const ownIds = new Set(own.map(({client_id}) => client_id));
    const storedIds = new Set(stored.map(({client_id}) => client_id));
    this.#settled = new Set([...this.#settled].filter(id => storedIds.has(id)));
    const others = stored.filter(({client_id}) => !this.#settled.has(client_id) && !ownIds.has(client_id))
      .map(entry => known.get(entry.client_id) ?? withFiles(entry));
    this.#update([...others, ...own]);
  }

  /** Learn the created chats, and forget the oldest, unless a waiting message belongs to one. */
  #mergeCreated(records, stored) {
    const newest = records.sort((one, other) => (other.created_at ?? 0) - (one.created_at ?? 0));
    const waiting = new Set([...this.#entries, ...stored].map(({chat_id}) => chat_id));
    newest.forEach(({local_id, chat_id}, number) => {
      this.#created.set(local_id, chat_id);
      if (number < MAX_CREATED || waiting.has(local_id)) return;
      this.#created.delete(local_id);
      this.#records.delete("created", local_id).catch(() => {});
    });
  }

  #update(entries) {
    const place = entry => entry.place ?? Number.MAX_SAFE_INTEGER;
    this.#entries = [...entries].sort((one, other) => place(one) - place(other)); // stable
    this.#emit("outbox", this.messages);
  }

  // Other tabs

  #broadcast(message) {
    this.#channel?.postMessage({account: this.#account, ...message});
  }

  #receive({type, client_id, local_id, stored, chat, error}) {
    if (type === "added") {
      this.load();
    } else if (type === "created") {
      this.#created.set(local_id, chat.id);
      this.#emit("created", {local_id, chat});
    } else {
      this.#remove(client_id);
      if (type === "refused") this.#reject(client_id, new QuilliumError(error));
      this.#promises.get(client_id)?.resolve(stored);
      this.#promises.delete(client_id);
    }
  }
}

const ACKNOWLEDGED_MS = 20_000; // then the connection is replaced, and the message sent again
const SLOWEST_MESSAGE = 2; // bytes per millisecond; a long message gets more time

export class Quillium extends EventTarget {
  #http;
  #session;
  #calls;
  #socket;
  #queue;
  #records;
  #resync;
  #loading; // loading of the account's queue
  #account; // the account last reported to listeners
  #wasSignedIn;
  #socketAccount = null; // the account of the connection
  #socketToken = null;
  #lastSeq = null; // the largest delivered `seq`; null before the first
  #connection = 0; // counter of connections: frames of an earlier one are discarded
  #ready = Promise.resolve(); // frames are delivered after this
  #texts = new Map(); // texts of replies in progress, by message id
  #inFlight = new Map(); // by client_id: messages in flight
  #listeners = new AbortController();

  /**
   * @param {object} [options]
   * @param {string} [options.base] URL of the API
   * @param {() => unknown} [options.resync] reloads the displayed data; frames are queued meanwhile
   * @param {string} [options.name] storage key of tokens and messages, to separate several servers
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} [options.storage] for the tokens
   * @param {Record<string, string> | (() => Record<string, string>)} [options.headers] sent with all requests
   * @param {typeof fetch} [options.fetch]
   * @param {typeof WebSocket} [options.WebSocket] for Node before 22
   */
  constructor({
    base = "/api/v1", resync = () => {}, name = "quillium", storage = defaultStorage(), headers,
    fetch: fetcher, WebSocket: webSocket,
  } = {}) {
    super();
    this.#http = new Http(base, headers, fetcher);
    this.#resync = resync;
    this.#records = new Records(name);
    this.#session = new Session({name, storage, http: this.#http, changed: () => this.#sessionChanged()});
    this.#calls = new Calls(this.#http, this.#session, seconds => this.#emit("waiting", seconds));
    this.#queue = new Queue({
      records: this.#records, name,
      deliver: (entry, account) => this.#deliver(entry, account),
      upload: (file, onProgress, account) => this.#upload(file, {onProgress}, account),
      emit: (type, detail) => this.#emit(type, detail),
    });
    this.#socket = new ReconnectingSocket({
      webSocket,
      address: () => this.#socketAddress(),
      opened: () => this.#opened(),
      received: frame => this.#received(frame),
      refused: reason => this.#refused(reason),
      changed: status => this.#socketChanged(status),
    });
    this.#wasSignedIn = this.isSignedIn;
    this.#account = this.account;
    this.#loading = this.#queue.open(this.#account);
    if (globalThis.document) this.#listen(name);
  }

  #listen(name) {
    const {signal} = this.#listeners;
    const on = (target, type, listener) => target.addEventListener(type, listener, {signal});
    on(globalThis, "storage", ({key}) => (key === name || key === null) && this.#sessionChanged());
    for (const type of ["online", "offline"]) on(globalThis, type, () => this.#socket.check());
    on(globalThis, "pageshow", ({persisted}) => persisted && this.#resume());
    on(document, "visibilitychange", () => document.hidden || this.#resume());
  }

  /** Catch up with changes by other tabs that may have been missed. */
  #resume() {
    this.#sessionChanged();
    this.#queue.load();
    this.#socket.check();
  }

  /** Close the connection and stop all activity; the outbox stays stored. */
  destroy() {
    this.#listeners.abort();
    this.#socket.close();
    this.#queue.destroy();
    this.#records.close();
  }

  // Sessions

  /** @returns {boolean} */
  get isSignedIn() {
    return this.#session.tokens !== null;
  }

  /** Id of the signed-in user; null if signed out. */
  get account() {
    return this.#session.account;
  }

  /** Whether the server ended the last session, by expiry or revocation. */
  get hasEnded() {
    return this.#session.hasEnded;
  }

  /** Create an account and sign in. @returns {Promise<object>} the user */
  async register(email, password, name, setupCode) {
    const account = {email, password, ...(name && {name}), ...(setupCode && {setup_code: setupCode})};
    const session = await this.#http.send("POST", "/auth/register", account);
    this.#session.store(session);
    return session.user;
  }

  async login(email, password) {
    this.#session.store(await this.#http.send("POST", "/auth/login", {email, password}));
  }

  /**
   * Sign in with tokens from another source: the front end's own server, a one-time code, or an API key
   * as `access_token`. Without a `refresh_token` the session ends with the access token.
   *
   * @param {{access_token: string, refresh_token?: string, expires_in?: number}} tokens
   */
  async useTokens(tokens) {
    const account = accountIn(tokens.access_token)
      ?? (await this.#http.send("GET", "/users/me", undefined, tokens.access_token)).id;
    this.#session.store({...tokens, account});
  }

  /**
   * Sign out here, or on every device. This browser deletes the tokens at once, even if the server is
   * unreachable; in that case the promise rejects.
   */
  async logout({everywhere = false} = {}) {
    const {tokens} = this.#session;
    if (!tokens) return;
    this.#session.clear();
    const send = (path, body, token) => this.#http.send("POST", `/auth/${path}`, body, token, {keepalive: true});
    try {
      await send("logout", {everywhere}, tokens.access_token);
    } catch (error) {
      if (error.code !== "token_expired" || !tokens.refresh_token) throw error;
      const fresh = await send("refresh", {refresh_token: tokens.refresh_token});
      await send("logout", {everywhere}, fresh.access_token);
    }
  }

  /**
   * Call the API. Refreshes an expired token and waits for a rate limit, once each. Deleting the account
   * also ends the session and deletes the account's data from this browser.
   *
   * @param {string} method
   * @param {string} path such as `/chats?limit=20`, or a link from a response such as `pagination.next`
   * @param {object | Blob} [body]
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {(share: number) => void} [options.onProgress] of sending the body, in browsers
   * @param {boolean} [options.keepalive] whether the request outlives the page
   * @param {Record<string, string>} [options.headers] of this request
   * @param {number} [options.timeout] milliseconds until the response headers must arrive
   * @param {"json" | "text" | "blob" | "response"} [options.as] how the response is parsed
   * @returns {Promise<any>} the parsed body; null if there is none
   * @throws {QuilliumError}
   */
  async call(method, path, body, options) {
    const {account} = this;
    const response = await this.#calls.call(method, path, body, options);
    if (method === "DELETE" && path === "/users/me") await this.#forget(account);
    return response;
  }

  /** Delete everything that this browser stores for a deleted account. */
  async #forget(account) {
    if (this.account === account) this.#session.clear();
    await this.#records.deleteAccount(account).catch(() => {}); // nothing is stored
  }

  // Files

  /**
   * Upload a file, for `say` or `begin`. They also upload files by themselves.
   *
   * @param {Blob} file
   * @param {object} [options]
   * @param {string} [options.name] the name of a `Blob` that is no `File`
   * @param {AbortSignal} [options.signal]
   * @param {(share: number) => void} [options.onProgress] called with the share that was sent, in browsers
   * @returns {Promise<object>} the stored file
   * @throws {QuilliumError}
   */
  upload(file, options) {
    return this.#upload(file, options, null);
  }

  #upload(file, {name = file.name ?? "file", signal, onProgress} = {}, account) {
    const path = `/files?name=${encodeURIComponent(name)}`;
    return this.#calls.call("POST", path, file, {signal, onProgress}, account);
  }

  // Messages

  /**
   * Send a message exactly once and in order, as soon as there is a connection.
   *
   * @param {string} chatId from the server, or the `id` returned by `begin`
   * @param {string} content
   * @param {object} [options]
   * @param {(Blob | {id: string})[]} [options.files] to upload and attach, or that were uploaded
   * @returns {Promise<object>} the stored message
   * @throws {QuilliumError} if it can't be stored, for example because the chat was deleted
   */
  async say(chatId, content, {files = []} = {}) {
    this.#checkAccount();
    return this.#queue.add({client_id: randomId(), chat_id: this.#queue.chatId(chatId), content, files});
  }

  /**
   * Create a chat with its first message; both are sent as soon as there is a connection.
   *
   * @param {string} content
   * @param {object} [chat] the body of `POST /chats`, such as {model}
   * @param {{files?: (Blob | {id: string})[]}} [options] as for `say`
   * @returns {{id: string, stored: Promise<object>}} an id for further messages, and the stored message
   */
  begin(content, chat = {}, {files = []} = {}) {
    this.#checkAccount();
    const id = `new_${randomId()}`;
    const stored = this.#queue.add(
      {client_id: id, chat_id: id, chat}, {client_id: randomId(), chat_id: id, content, files},
    );
    return {id, stored};
  }

  #checkAccount() {
    if (this.#listeners.signal.aborted) throw new QuilliumError(DESTROYED);
    if (this.#account === null) throw new QuilliumError(SIGNED_OUT, 401);
  }

  /** Unacknowledged messages, oldest first. @returns {object[]} */
  get outbox() {
    return this.#queue.messages;
  }

  /** Chats that are not on the server yet, oldest first. @returns {object[]} */
  get newChats() {
    return this.#queue.chats;
  }

  /** The server's id of a chat that was created here, if it has one; other ids unchanged. */
  chatId(id) {
    return this.#queue.chatId(id);
  }

  /** Wait until `outbox` is loaded and all messages are stored, so that the tab can be closed. */
  async persisted() {
    await this.#loading;
    await this.#queue.stored;
  }

  /** Send a typing signal to the user's other devices; dropped if there is no connection. */
  typing(chatId, isTyping = true) {
    this.#socket.write("typing", {chat_id: chatId, is_typing: isTyping});
  }

  /** Mark a chat as read up to a message, or entirely. */
  read(chatId, messageId) {
    this.#socket.write("read", {chat_id: chatId, ...(messageId && {message_id: messageId})});
  }

  #deliver(entry, account) {
    const {chat, chat_id, content, client_id, attachments} = entry;
    if (chat) return this.#calls.createChat(chat, client_id, account);
    return new Promise((resolve, reject) => {
      const isSent = this.#socketAccount === account
        && this.#socket.write("message", {chat_id, content, client_id, ...(attachments.length && {attachments})});
      if (!isSent) {
        reject(new QuilliumError(OFFLINE));
        return;
      }
      const limit = ACKNOWLEDGED_MS + content.length / SLOWEST_MESSAGE;
      const timer = setTimeout(() => this.#socket.replace(), limit);
      const done = settle => value => {
        clearTimeout(timer);
        this.#inFlight.delete(client_id);
        settle(value);
      };
      this.#inFlight.set(client_id, {resolve: done(resolve), reject: done(reject)});
      this.#socket.expectResponse();
    });
  }

  // The connection

  /** Open the socket, without waiting for the back-off, and keep it open until `disconnect`. */
  connect() {
    if (!this.#listeners.signal.aborted) this.#socket.open();
  }

  disconnect() {
    this.#socket.close();
  }

  async #socketAddress() {
    const token = await this.#session.token();
    if (!token) return null;
    this.#sessionChanged(); // another tab's change may be visible before its event
    [this.#socketToken, this.#socketAccount] = [token, this.account];
    const since = this.#lastSeq ?? "latest";
    return `${this.#http.base.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(token)}&since=${since}`;
  }

  async #opened() {
    const connection = ++this.#connection;
    this.#texts.clear(); // a new connection receives the text of a reply from its beginning
    if (this.#lastSeq === null) this.#reload();
    let ready;
    do {
      ready = this.#ready;
      await ready.catch(() => {}); // the connection is then dropped
    } while (ready !== this.#ready);
    if (connection !== this.#connection) return;
    this.#emit("status", "online");
    this.#queue.start();
  }

  #socketChanged(status) {
    this.#connection += 1;
    this.#queue.stop();
    for (const {reject} of [...this.#inFlight.values()]) reject(new QuilliumError(OFFLINE));
    this.#emit("status", status);
  }

  /** Handle close code 4401: the token is refreshed before the next attempt. */
  #refused() {
    this.#session.markRejected(this.#socketToken);
  }

  #sessionChanged() {
    const {isSignedIn, account} = this;
    const hasChanged = account !== this.#account;
    if (hasChanged) {
      [this.#account, this.#lastSeq] = [account, null];
      this.#socket.reset();
      this.#loading = this.#queue.open(account);
    }
    if (this.#wasSignedIn && (!isSignedIn || hasChanged)) this.#emit("session", false);
    if (isSignedIn && (!this.#wasSignedIn || hasChanged)) this.#emit("session", true);
    this.#wasSignedIn = isSignedIn;
    if (isSignedIn) this.#socket.check();
  }

  // Frames

  /** Call `resync` while frames are queued. If it fails, drop the connection. */
  #reload() {
    this.#lastSeq = null;
    this.#texts.clear();
    const listing = Promise.resolve().then(() => this.#resync());
    this.#ready = listing;
    listing.catch(error => {
      if (this.#ready !== listing) return;
      this.#emit("unlisted", error);
      this.#socket.fail();
    });
  }

  #received(frame) {
    const {type, data} = frame;
    if (type === "message" && data.client_id) this.#inFlight.get(data.client_id)?.resolve(data);
    const connection = this.#connection;
    const handle = () => connection === this.#connection && this.#handle(frame);
    if (data.code === "resync_required") this.#reload();
    else this.#ready.then(handle, () => {}); // `#reload` drops the connection on failure
  }

  #handle({type, data, seq}) {
    if (type === "message" && data.client_id) this.#queue.settle(data.client_id, data);
    if (type === "error") this.#handleError(data);
    if (seq !== undefined && this.#lastSeq !== null && seq <= this.#lastSeq) return; // already delivered
    this.#lastSeq = seq ?? this.#lastSeq;
    if (type === "error") return;
    if (type === "message") this.#texts.delete(data.id);
    if (type === "typing" && data.message_id) this.#handleDelta(data);
    this.#emit(type, data);
  }

  #handleDelta({chat_id, message_id, delta, offset, reasoning_delta, reasoning_offset}) {
    const {text = "", reasoning = ""} = this.#texts.get(message_id) ?? {};
    const reply = {
      text: delta === undefined ? text : (offset ? text : "") + delta,
      reasoning: reasoning_delta === undefined ? reasoning : (reasoning_offset ? reasoning : "") + reasoning_delta,
    };
    this.#texts.set(message_id, reply);
    this.#emit("reply", {chat_id, message_id, ...reply});
  }

  #handleError(data) {
    const sent = this.#inFlight.get(data.client_id);
    if (sent) sent.reject(new QuilliumError(data));
    else this.#emit("problem", new QuilliumError(data));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail}));
  }
}

export {QuilliumError};
