/**
 * A client of the Quillium API for any front end, with no dependency: sessions, typed errors, and a
 * socket that loses nothing. What it promises:
 *
 * - Tokens are refreshed once for all tabs, and a tab follows when another one signs in or out.
 * - What is said is stored by the server once and in order: it is kept in IndexedDB and sent again, with
 *   the same `client_id`, until it is acknowledged; through reloads, closed tabs and new sessions of the
 *   same account, and never in the name of another one. That includes chats that are begun offline.
 * - Each frame is told once and in order. After a break the socket continues where it was; when that is
 *   impossible, and at the beginning, `resync` is called, and frames wait until it has listed anew.
 * - A connection whose other end is gone is replaced within 20 s in a visible tab.
 *
 *     const quillium = new Quillium({resync: () => listWhatIsShown()});
 *     quillium.addEventListener("message", ({detail}) => show(detail));
 *     await quillium.login("ada@example.com", "a good password");
 *     quillium.connect();
 *     const stored = await quillium.say(chatId, "Hello");
 *
 * docs/page.md lists its methods and events, quillium.d.ts has their types. It also runs in Node and
 * can be made while a page is rendered on a server.
 *
 * @module
 */
// Joined from static/client/*.js by packaging/client.py: edit those.


/** Errors of the API, and which of them are worth another attempt. */

/** An error of the API (docs/api.md), or `code` "offline" when there was no response. */
class QuilliumError extends Error {
  /**
   * @param {{code: string, message: string, details: string}} error
   * @param {number} [status] of HTTP; 0 where there was none
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
const BROKEN_OFF = {code: "offline", message: "No response", details: "The response broke off."};
const SIGNED_OUT = {code: "invalid_token", message: "Signed out", details: "You are signed out."};
const DESTROYED = {code: "destroyed", message: "Destroyed", details: "This client was destroyed."};
const NO_SUCH_CHAT = {code: "not_found", message: "Not found", details: "There is no such chat."};

const TEMPORARY = new Set([
  "offline", "rate_limited", "storage_unavailable", "shutting_down", "internal_error",
  "unauthorized", "invalid_token", "token_expired", // the session decides what becomes of it
]);

/** Whether the same request may succeed later. A gateway's errors have no code of the API. */
const isTemporary = error =>
  !(error instanceof QuilliumError) || TEMPORARY.has(error.code) || error.status >= 500;

/** The tabs of an origin: what they tell each other and how one excludes the others, where they can. */

/**
 * A channel to the other tabs; undefined where there is none, as in Node, or where the browser refuses
 * it together with all storage.
 */
function channel(name, hear) {
  if (!globalThis.document) return undefined; // it would keep Node from ending
  try {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({data}) => hear(data);
    return opened;
  } catch {
    return undefined;
  }
}

/**
 * Run `work` under a Web Lock, or without it where there are no locks (pages that are served neither over
 * TLS nor from this machine), the browser refuses them, or `options.signal` ends the wait.
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

/** Requests to the API: addresses, time-outs and typed errors. It knows nothing of sessions. */


const RESPONSE_MS = 30_000; // until a response begins
const READ_MS = 15_000; // the same for what can be asked again
const BODY_MS = 300_000; // until it ends
const SLOWEST_UPLOAD = 16; // bytes in a millisecond; a large body gets more time
const API_PREFIXES = ["/api/v1", "/v1"]; // of the links in responses (contract, section 1)

class Http {
  #base;
  #headers;
  #fetch;

  /**
   * @param {string} base address of the API, absolute, or relative to the page
   * @param {Record<string, string> | (() => Record<string, string>)} headers sent with each request
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, headers, fetcher) {
    this.#base = base;
    this.#headers = headers;
    this.#fetch = fetcher ?? ((...request) => fetch(...request));
  }

  /** The absolute address of the API, without a slash at its end. */
  get base() {
    return new URL(this.#base, globalThis.location?.href).href.replace(/\/$/, "");
  }

  /**
   * The address of a path below the base, or of a link that the API gave.
   *
   * @throws {TypeError} for another server's address, which must never get the token
   */
  address(path) {
    const {base} = this;
    if (/^https?:/i.test(path)) {
      if (path === base || path.startsWith(`${base}/`)) return path;
      throw new TypeError(`${path} is not an address below ${base}`);
    }
    if (!/^\/(?!\/)/.test(path)) throw new TypeError(`${path} is not a path of the API`);
    const known = [new URL(base).pathname, ...API_PREFIXES].find(prefix => path.startsWith(`${prefix}/`));
    return base + (known && known !== "/" ? path.slice(known.length) : path);
  }

  /**
   * Send a request. A read that gets no response is sent again once: its connection may be half-open.
   *
   * @returns {Promise<any>} the response's body as `as` asks; null where there is none
   * @throws {QuilliumError}
   * @throws {DOMException} `AbortError`, when `signal` was aborted
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
    const {signal, keepalive, as = "json", headers, timeout = RESPONSE_MS} = options;
    const address = this.address(path);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const ownHeaders = typeof this.#headers === "function" ? this.#headers() : this.#headers;
    const limit = new AbortController();
    let timer = setTimeout(() => limit.abort(), timeout + (text?.length ?? 0) / SLOWEST_UPLOAD);
    try {
      const response = await this.#fetch(address, {
        method, keepalive, body: text,
        headers: {
          ...(text !== undefined && {"Content-Type": "application/json"}),
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

async function errorOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const parsed = await response.json().catch(() => null); // a gateway's page
  return new QuilliumError(parsed?.error?.code ? parsed.error : OFFLINE, response.status, retryAfter);
}

/** The tokens of who is signed in: kept for all tabs of the origin, and refreshed once for all. */


const EARLY_MS = 30_000; // a token is refreshed before it expires
const REFRESH_MS = 15_000;
const SEEN_MS = 1_000; // for what another tab has stored to be seen; else it has stored nothing

/** `localStorage`, or the memory where the browser refuses it or there is none. */
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

/** The user's id in an access token of ours (a JWT, RFC 7519); undefined for any other. */
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

/** Requests in the name of who is signed in: tokens are refreshed, rate limits are waited for. */


const LONGEST_WAIT_SECONDS = 60; // for a rate limit; its bucket is full again by then

const CREATE_MS = 15_000; // a chat with a `client_id` may be asked for again

class Calls {
  #http;
  #session;
  #waits;
  #takesChatIds = true; // whether the server takes a `client_id` for a chat

  /**
   * @param {Http} http
   * @param {Session} session
   * @param {(seconds: number) => void} waits told before a rate limit is waited for
   */
  constructor(http, session, waits) {
    this.#http = http;
    this.#session = session;
    this.#waits = waits;
  }

  /** See `Quillium.call`. With an `account`, the request is sent in its name or not at all. */
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
          this.#waits(error.retryAfter);
          await new Promise(resolve => setTimeout(resolve, 1000 * error.retryAfter));
          options.signal?.throwIfAborted();
        } else {
          throw error;
        }
      }
    }
  }

  /** Create a chat, once however often it is asked for. */
  async createChat(chat, clientId, account) {
    if (this.#takesChatIds) {
      try {
        return await this.call("POST", "/chats", {...chat, client_id: clientId}, {timeout: CREATE_MS}, account);
      } catch (error) {
        if (error.status !== 400 || !error.message.includes("client_id")) throw error;
        this.#takesChatIds = false; // an older server
      }
    }
    return this.call("POST", "/chats", chat, {}, account);
  }
}

/**
 * Records of accounts in IndexedDB: what waits to be sent, and drafts.
 *
 * Every method rejects where the browser refuses to store (private windows, a full disk, a server):
 * the caller then keeps what it has in memory. A write is committed at once, so that it outlives a
 * tab that is closed right after it.
 */

const OPEN_MS = 3_000; // a browser that does not answer does not store

class Records {
  #name;
  #opening = null;

  constructor(name) {
    this.#name = name;
  }

  /** Those of an account, in the order in which they were added. */
  async all(account, ...stores) {
    let requests;
    await this.#run(stores, "readonly", transaction => {
      requests = stores.map(store => transaction.objectStore(store).index("account").getAll(account));
    });
    return requests.map(({result}) => result);
  }

  /** Append records to the outbox together, or none of them. @returns {Promise<number[]>} places */
  async append(records) {
    let requests;
    await this.#run(["outbox"], "readwrite", transaction => {
      requests = records.map(record => transaction.objectStore("outbox").add(record));
    });
    return requests.map(({result}) => result);
  }

  /** Take a record out of the outbox. @returns {Promise<boolean>} whether this call did */
  async take(place) {
    let isThere = false;
    await this.#run(["outbox"], "readwrite", transaction => {
      const outbox = transaction.objectStore("outbox");
      const found = outbox.getKey(place);
      found.onsuccess = () => {
        isThere = found.result !== undefined;
        if (isThere) outbox.delete(place);
      };
    }, {isOneStep: false});
    return isThere;
  }

  put(store, record) {
    return this.#run([store], "readwrite", transaction => transaction.objectStore(store).put(record));
  }

  delete(store, key) {
    return this.#run([store], "readwrite", transaction => transaction.objectStore(store).delete(key));
  }

  close() {
    this.#opening?.then(database => database.close(), () => {});
    this.#opening = null;
  }

  async #run(stores, mode, work, {isOneStep = true} = {}) {
    const database = await this.#open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(stores, mode);
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted."));
      transaction.oncomplete = () => resolve();
      work(transaction);
      if (mode === "readwrite" && isOneStep) transaction.commit();
    });
  }

  #open() {
    this.#opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      const timer = setTimeout(() => reject(new Error("IndexedDB does not answer.")), OPEN_MS);
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
        request.result.onclose = forget; // the user cleared what this site stores
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
 * One WebSocket that is kept open: reconnection with back-off, and half-open connections.
 *
 * A connection whose other end is gone looks like one that is quiet. So when nothing was received for
 * `QUIET_MS` in a visible tab, or a frame expects an answer, the server must send something within
 * `ANSWER_MS`; else the socket is replaced at once, without the browser's closing handshake, which
 * takes a minute. Together that is under 20 s. A quiet server answers the probe, and is left alone.
 */

const QUIET_MS = 9_000;
const ANSWER_MS = 7_000;
const OPENING_MS = 15_000;
const TICK_MS = 1_000;
const LATE_MS = 3_000; // after a tick so late the tab was frozen: what was received is yet to be read
const RECENT_MS = 2_000; // a connection that was heard so recently needs no probe
const STEADY_MS = 5_000; // a connection that broke sooner counts as a failed attempt
const LONGEST_BACKOFF_MS = 30_000;
const OPEN = 1; // WebSocket.OPEN; Node before 22 has no WebSocket

/** A frame that the server answers with an error which names `client_id`, and that does nothing. */
const PROBE = {type: "typing", data: {client_id: "probe"}};
const isProbeAnswer = ({type, data}) => type === "error" && data.client_id === PROBE.data.client_id;

const now = () => performance.now();
const isVisible = () => !globalThis.document?.hidden;

class Line {
  #owner;
  #socket = null; // also a placeholder while its address is asked for
  #isWanted = false;
  #attempts = 0; // since there was a steady connection
  #openedAt = Infinity;
  #retryTimer = 0;
  #ticker = 0;
  #tickedAt = 0;
  #receivedAt = 0;
  #askedAt = null; // when an answer began to be due; null when none is
  #hasAskedAgain = false; // after a late tick
  #unsent = 0; // bytes in the socket's buffer at the last tick

  /**
   * @param {object} owner
   * @param {() => Promise<string | null>} owner.address null: nobody is signed in
   * @param {() => void} owner.opened
   * @param {(frame: object) => void} owner.received
   * @param {(reason: string) => void} owner.refused by close code 4401
   * @param {(status: "connecting" | "offline") => void} owner.changed
   * @param {typeof WebSocket} [owner.webSocket]
   */
  constructor(owner) {
    this.#owner = owner;
  }

  get isOpen() {
    return this.#socket?.readyState === OPEN;
  }

  /** Open the connection, now if it waits to be tried again, and keep it open until `close`. */
  open() {
    this.#isWanted = true;
    this.#now();
  }

  close() {
    this.#isWanted = false;
    this.#drop();
    clearTimeout(this.#retryTimer);
  }

  /** Replace the connection by another one, at once. */
  replace() {
    if (this.#socket === null) return;
    this.reset();
    this.#now();
  }

  /** Leave the connection, which is of no use, and try again later. */
  fail() {
    this.#drop({isTriedAgain: true});
  }

  /** Leave the connection: it is of another session. */
  reset() {
    this.#attempts = 0;
    this.#drop();
  }

  /** The tab is shown again, or the network is back: check the connection, or open it. */
  check() {
    if (!this.isOpen) this.#now();
    else if (now() - this.#receivedAt > RECENT_MS) this.#ask();
  }

  /** @returns {boolean} whether there was a connection to write to */
  write(type, data) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify({type, data}));
    return true;
  }

  /** The server must send something soon, or the connection is replaced. */
  expectAnswer() {
    this.#askedAt ??= now();
  }

  #now() {
    clearTimeout(this.#retryTimer);
    if (this.#isWanted && this.#socket === null) this.#open();
  }

  async #open() {
    const placeholder = {close() {}};
    this.#socket = placeholder; // so that nobody else opens one meanwhile
    this.#openedAt = Infinity;
    this.#owner.changed("connecting");
    let address;
    try {
      address = await this.#owner.address();
    } catch {
      address = undefined; // the server can't be reached: try again later
    }
    if (this.#socket !== placeholder) return;
    if (!address) {
      this.#drop({isTriedAgain: address === undefined});
      return;
    }
    const Socket = this.#owner.webSocket ?? WebSocket;
    const socket = new Socket(address);
    this.#socket = socket;
    this.#retryTimer = setTimeout(() => this.#drop({isTriedAgain: true}), OPENING_MS);
    socket.onopen = () => this.#opened();
    socket.onmessage = ({data}) => this.#received(data);
    socket.onclose = ({code, reason}) => {
      if (code === 4401) this.#owner.refused(reason);
      this.#drop({isTriedAgain: true});
    };
  }

  #opened() {
    clearTimeout(this.#retryTimer);
    this.#openedAt = this.#receivedAt = this.#tickedAt = now();
    [this.#askedAt, this.#hasAskedAgain, this.#unsent] = [null, false, 0];
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#owner.opened();
  }

  #received(text) {
    this.#receivedAt = now();
    [this.#askedAt, this.#hasAskedAgain] = [null, false];
    const frame = JSON.parse(text);
    if (!isProbeAnswer(frame)) this.#owner.received(frame);
  }

  /** Leave the socket, which never says anything again. */
  #drop({isTriedAgain = false} = {}) {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    clearInterval(this.#ticker);
    clearTimeout(this.#retryTimer);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#owner.changed("offline");
    if (!isTriedAgain || !this.#isWanted) return;
    if (now() > this.#openedAt + STEADY_MS) this.#attempts = 0;
    const longest = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** this.#attempts++);
    this.#retryTimer = setTimeout(() => this.#now(), Math.random() * longest);
  }

  #ask() {
    this.#askedAt ??= now();
    this.write(PROBE.type, PROBE.data);
  }

  #tick() {
    if (!this.isOpen) return;
    const isLate = now() - this.#tickedAt > LATE_MS;
    this.#tickedAt = now();
    const unsent = this.#socket.bufferedAmount ?? 0;
    const isSending = unsent < this.#unsent; // a slow connection, but not a dead one
    this.#unsent = unsent;
    if (this.#askedAt === null) {
      if (isVisible() && now() - this.#receivedAt > QUIET_MS) this.#ask();
    } else if (isSending) {
      this.#askedAt = now();
    } else if (isLate && !this.#hasAskedAgain) {
      this.#hasAskedAgain = true;
      this.#askedAt = now();
      this.#ask();
    } else if (now() - this.#askedAt > ANSWER_MS) {
      this.replace();
    }
  }
}

/**
 * What an account sends: new chats and messages, in order and exactly once.
 *
 * Each entry is stored before it is sent and removed once the server has acknowledged it. It is sent
 * with its `client_id`, so that the server stores it once however often it is sent; one entry is under
 * way at a time, so that nothing overtakes what has to be sent again. All tabs of an origin share the
 * queue: a lock has one of them send, and where there are no locks two may send the same entry, which
 * is as good. The entries of an account are sent over its own session only.
 */


const RATE_LIMIT_MS = 5_000; // for a rate limit that doesn't say when it ends
const LONGEST_RETRY_MS = 30_000;
const LOCK_MS = 15_000; // a tab that holds the lock longer is frozen
const MAX_SERVER_ERRORS = 6; // after so many, an entry that the server fails on is given back

/** An id of a chat that the server does not know yet; it is also the chat's `client_id`. */
const isLocal = chatId => chatId.startsWith("new_");

const hexadecimal = byte => byte.toString(16).padStart(2, "0");
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), hexadecimal).join("");

class Queue {
  #records;
  #name;
  #channel; // to the other tabs
  #deliver;
  #tell;
  #account = null;
  #entries = []; // by `place`, which is undefined until an entry is stored
  #settled = new Set(); // client ids that are done with, whatever the records still say
  #promises = new Map(); // by client id: of those who wait for an acknowledgement
  #created = new Map(); // ids of chats by the local ids that they had
  #isLoaded = false;
  #storing = Promise.resolve();
  #isOnline = false;
  #isSending = false;
  #holdTimer = 0; // while it waits after a refusal, such as by the rate limit
  #serverErrors = 0; // of the first entry
  #failures = 0; // since something was delivered

  /**
   * @param {object} options
   * @param {Records} options.records
   * @param {string} options.name
   * @param {(entry: object, account: string) => Promise<object>} options.deliver the stored thing
   * @param {(type: string, detail: any) => void} options.tell
   */
  constructor({records, name, deliver, tell}) {
    this.#records = records;
    this.#name = name;
    this.#deliver = deliver;
    this.#tell = tell;
    this.#channel = channel(`${name}-queue`, news => news.account === this.#account && this.#hear(news));
  }

  /** Messages that are not acknowledged, oldest first. */
  get messages() {
    return this.#entries.filter(({chat}) => !chat).map(({chat_id, content, client_id, timestamp}) =>
      ({chat_id: this.chatId(chat_id), content, client_id, timestamp}));
  }

  /** Chats that are not acknowledged: what was asked for, with its local `id`. */
  get chats() {
    return this.#entries.filter(({chat}) => chat).map(({chat_id, chat, timestamp}) =>
      ({...chat, id: chat_id, timestamp}));
  }

  /** The server's id of a chat, if it has one by now. */
  chatId(id) {
    return this.#created.get(id) ?? id;
  }

  /** Serve an account; null for none. What waits of another one stays stored. */
  async open(account) {
    this.stop();
    this.#account = account;
    [this.#entries, this.#isLoaded] = [[], false];
    this.#tell("outbox", this.messages);
    await this.load();
  }

  /** Read again what is stored, as other tabs may have changed it. */
  async load() {
    const account = this.#account;
    if (account === null) return;
    const [stored, created] = await this.#records.all(account, "outbox", "created").catch(() => [null, []]);
    if (account !== this.#account) return;
    this.#isLoaded = true;
    for (const {local_id, chat_id} of created) this.#created.set(local_id, chat_id);
    if (stored !== null) this.#merge(stored);
    this.#send();
  }

  /** Whether everything that was added is stored, or can't be. */
  get stored() {
    return this.#storing;
  }

  /**
   * Add entries together. An entry is {client_id, chat_id} with `content`, or with `chat`.
   *
   * @returns {Promise<object>} what the server stored for the last one
   */
  add(...entries) {
    const account = this.#account;
    const timestamp = new Date().toISOString();
    const made = entries.map(entry => ({...entry, account, timestamp}));
    this.#update([...this.#entries, ...made]);
    const last = made.at(-1).client_id;
    const acknowledged = new Promise((resolve, reject) => this.#promises.set(last, {resolve, reject}));
    this.#storing = this.#store(made);
    return acknowledged;
  }

  async #store(entries) {
    let places;
    try {
      places = await this.#records.append(entries);
    } catch { // the browser refuses: they wait in this tab, after those that came before
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

  /** The connection of the account is there: send what waits. */
  start() {
    this.#isOnline = true;
    this.load();
  }

  stop() {
    this.#isOnline = false;
    clearTimeout(this.#holdTimer);
    this.#holdTimer = 0;
  }

  destroy() {
    this.stop();
    this.#account = null;
    this.#channel?.close();
    this.#channel = undefined;
    for (const {reject} of this.#promises.values()) reject(new QuilliumError(DESTROYED));
    this.#promises.clear();
  }

  /** The server has stored it; also what another tab or an earlier connection sent. */
  settle(clientId, stored) {
    const entry = this.#remove(clientId);
    this.#promises.get(clientId)?.resolve(stored);
    this.#promises.delete(clientId);
    if (!entry) return;
    if (!entry.isOnlyHere) this.#records.take(entry.place).catch(() => {}); // sent again, and stored once
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
    this.#send(); // what was added meanwhile
  }

  async #attempt(entry) {
    const account = this.#account;
    const chatId = this.chatId(entry.chat_id);
    try {
      const isOrphan = !entry.chat && isLocal(chatId);
      if (isOrphan) throw new QuilliumError(NO_SUCH_CHAT);
      const stored = await this.#deliver({...entry, chat_id: chatId}, account);
      this.#serverErrors = this.#failures = 0;
      if (entry.chat) await this.#chatCreated(entry, stored);
      else this.settle(entry.client_id, stored);
    } catch (error) {
      if (account !== this.#account) return;
      const isHopeless = error.code === "internal_error" && ++this.#serverErrors >= MAX_SERVER_ERRORS;
      if (isTemporary(error) && !isHopeless) this.#hold(error);
      else await this.#refuse(entry, error);
    }
  }

  async #chatCreated({chat_id, client_id, account}, chat) {
    this.#created.set(chat_id, chat.id);
    this.#broadcast({type: "created", local_id: chat_id, chat, account});
    if (account === this.#account) this.#tell("created", {local_id: chat_id, chat});
    await this.#records.put("created", {local_id: chat_id, account, chat_id: chat.id}).catch(() => {});
    this.settle(client_id, chat);
  }

  /** Nothing that was said later overtakes what was refused for now. */
  #hold({code, retryAfter}) {
    if (!this.#isOnline) return; // the next connection sends it
    const isLimited = code === "rate_limited";
    const backoff = Math.min(LONGEST_RETRY_MS, 1000 * 2 ** this.#failures++);
    const delay = 1000 * retryAfter || (isLimited ? RATE_LIMIT_MS : backoff);
    if (isLimited) this.#tell("waiting", delay / 1000);
    this.#holdTimer = setTimeout(() => {
      this.#holdTimer = 0;
      this.#send();
    }, delay);
  }

  /** It can't be stored: give it back to who said it, in one tab. A chat's messages go with it. */
  async #refuse(entry, error) {
    const isWithIt = other => other === entry || (entry.chat && other.chat_id === entry.chat_id);
    this.#serverErrors = 0;
    for (const refused of this.#entries.filter(isWithIt)) {
      const {chat_id, content, client_id, place, isOnlyHere} = refused;
      const isOurs = isOnlyHere || await this.#records.take(place).catch(() => true);
      this.#remove(client_id);
      if (isOurs && !refused.chat) this.#tell("refused", {chat_id: this.chatId(chat_id), content, error});
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
    const entry = this.#entries.find(({client_id}) => client_id === clientId);
    if (entry) this.#update(this.#entries.filter(other => other !== entry));
    return entry;
  }

  #merge(stored) {
    const known = new Map(this.#entries.map(entry => [entry.client_id, entry]));
    const own = this.#entries.filter(({isOnlyHere, place}) => isOnlyHere || place === undefined);
    const held = new Set(own.map(({client_id}) => client_id));
    const others = stored.filter(({client_id}) => !this.#settled.has(client_id) && !held.has(client_id))
      .map(entry => known.get(entry.client_id) ?? entry);
    this.#update([...others, ...own]);
  }

  #update(entries) {
    const place = entry => entry.place ?? Number.MAX_SAFE_INTEGER;
    this.#entries = [...entries].sort((one, other) => place(one) - place(other)); // stable
    this.#tell("outbox", this.messages);
  }

  // Other tabs

  #broadcast(news) {
    this.#channel?.postMessage({account: this.#account, ...news});
  }

  #hear({type, client_id, local_id, stored, chat, error}) {
    if (type === "added") {
      this.load();
    } else if (type === "created") {
      this.#created.set(local_id, chat.id);
      this.#tell("created", {local_id, chat});
    } else {
      this.#remove(client_id);
      if (type === "refused") this.#reject(client_id, new QuilliumError(error));
      this.#promises.get(client_id)?.resolve(stored);
      this.#promises.delete(client_id);
    }
  }
}

const ACKNOWLEDGED_MS = 20_000;
const SLOWEST_MESSAGE = 2; // bytes in a millisecond; a long message gets more time

export class Quillium extends EventTarget {
  #http;
  #session;
  #calls;
  #line;
  #queue;
  #records;
  #resync;
  #loading; // of the account's queue
  #account; // that those who listen know of
  #wasSignedIn;
  #lineAccount = null; // whose the connection is
  #lineToken = null;
  #last = null; // the largest `seq` that was told; null before the first
  #connection = 0; // counts the connections: frames of an earlier one are not told
  #ready = Promise.resolve(); // what frames wait for
  #texts = new Map(); // of replies that are being written, by message id
  #sent = new Map(); // by client_id: messages that are under way
  #listeners = new AbortController();

  /**
   * @param {object} [options]
   * @param {string} [options.base] address of the API
   * @param {() => unknown} [options.resync] lists again what is shown; frames wait for it
   * @param {string} [options.name] under which tokens and messages are kept, for several servers
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem">} [options.storage] of the tokens
   * @param {Record<string, string> | (() => Record<string, string>)} [options.headers] of all requests
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
    this.#calls = new Calls(this.#http, this.#session, seconds => this.#tell("waiting", seconds));
    this.#queue = new Queue({
      records: this.#records, name,
      deliver: (entry, account) => this.#deliver(entry, account),
      tell: (type, detail) => this.#tell(type, detail),
    });
    this.#line = new Line({
      webSocket,
      address: () => this.#socketAddress(),
      opened: () => this.#opened(),
      received: frame => this.#received(frame),
      refused: reason => this.#refused(reason),
      changed: status => this.#lineChanged(status),
    });
    this.#wasSignedIn = this.isSignedIn;
    this.#account = this.account;
    this.#loading = this.#queue.open(this.#account);
    if (globalThis.document) this.#listen(name);
  }

  #listen(name) {
    const on = (target, type, hear) => target.addEventListener(type, hear, {signal: this.#listeners.signal});
    on(globalThis, "storage", ({key}) => (key === name || key === null) && this.#sessionChanged());
    for (const type of ["online", "offline"]) on(globalThis, type, () => this.#line.check());
    on(globalThis, "pageshow", ({persisted}) => persisted && this.#shownAgain());
    on(document, "visibilitychange", () => document.hidden || this.#shownAgain());
  }

  /** What other tabs did meanwhile may have been missed. */
  #shownAgain() {
    this.#sessionChanged();
    this.#queue.load();
    this.#line.check();
  }

  /** Close the connection and leave everything alone from now on; what waits stays stored. */
  destroy() {
    this.#listeners.abort();
    this.#line.close();
    this.#queue.destroy();
    this.#records.close();
  }

  // Sessions

  /** @returns {boolean} */
  get isSignedIn() {
    return this.#session.tokens !== null;
  }

  /** Id of the user who is signed in; null for nobody. */
  get account() {
    return this.#session.account;
  }

  /** Whether the last session was ended by the server: it expired or was revoked. */
  get hasEnded() {
    return this.#session.hasEnded;
  }

  /** Create an account and sign in. @returns {Promise<object>} the user */
  async register(email, password, name, setupCode) {
    const account = {email, password, ...(name && {name}), ...(setupCode && {setup_code: setupCode})};
    const made = await this.#http.send("POST", "/auth/register", account);
    this.#session.keep(made);
    return made.user;
  }

  async login(email, password) {
    this.#session.keep(await this.#http.send("POST", "/auth/login", {email, password}));
  }

  /**
   * Sign in with tokens that the front end got otherwise: from a server of its own, a one-use code, or
   * an API key as `access_token`. Without a `refresh_token` the session ends with the access token.
   *
   * @param {{access_token: string, refresh_token?: string, expires_in?: number}} tokens
   */
  async useTokens(tokens) {
    const account = accountIn(tokens.access_token)
      ?? (await this.#http.send("GET", "/users/me", undefined, tokens.access_token)).id;
    this.#session.keep({...tokens, account});
  }

  /**
   * Sign out here, or on every device. This browser forgets the tokens at once, even if the server
   * can't be reached; the promise rejects if the server could not be told.
   */
  async logout({everywhere = false} = {}) {
    const {tokens} = this.#session;
    if (!tokens) return;
    this.#session.leave();
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
   * Call the API. A token that has expired is refreshed, and a rate limit is waited for, once each.
   *
   * @param {string} method
   * @param {string} path such as `/chats?limit=20`, or a link of the API such as `pagination.next`
   * @param {object} [body]
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {boolean} [options.keepalive] whether it outlives the page
   * @param {Record<string, string>} [options.headers] of this request
   * @param {number} [options.timeout] milliseconds until a response must have begun
   * @param {"json" | "text" | "blob" | "response"} [options.as] what the response is taken for
   * @returns {Promise<any>} the response's body; null where there is none
   * @throws {QuilliumError}
   */
  call(method, path, body, options) {
    return this.#calls.call(method, path, body, options);
  }

  // What is said

  /**
   * Say something. It goes out when there is a connection, once, after what was said before.
   *
   * @param {string} chatId of the server, or the `id` that `begin` gave
   * @param {string} content
   * @returns {Promise<object>} the stored message
   * @throws {QuilliumError} when it can't be stored, such as in a chat that is gone
   */
  async say(chatId, content) {
    this.#checkAccount();
    return this.#queue.add({client_id: randomId(), chat_id: this.#queue.chatId(chatId), content});
  }

  /**
   * Begin a chat with its first message; both go out when there is a connection.
   *
   * @param {string} content
   * @param {object} [chat] what `POST /chats` takes, such as {model}
   * @returns {{id: string, stored: Promise<object>}} an id to say more with, and the stored message
   */
  begin(content, chat = {}) {
    this.#checkAccount();
    const id = `new_${randomId()}`;
    const stored = this.#queue.add(
      {client_id: id, chat_id: id, chat}, {client_id: randomId(), chat_id: id, content},
    );
    return {id, stored};
  }

  #checkAccount() {
    if (this.#listeners.signal.aborted) throw new QuilliumError(DESTROYED);
    if (this.#account === null) throw new QuilliumError(SIGNED_OUT, 401);
  }

  /** What was said and is not acknowledged, oldest first. @returns {object[]} */
  get outbox() {
    return this.#queue.messages;
  }

  /** Chats that the server does not have yet, oldest first. @returns {object[]} */
  get newChats() {
    return this.#queue.chats;
  }

  /** The server's id of a chat that was begun here, once it has one; any other id as it is. */
  chatId(id) {
    return this.#queue.chatId(id);
  }

  /** Wait until `outbox` is loaded and what was said is stored, so that the tab may be closed. */
  async persisted() {
    await this.#loading;
    await this.#queue.stored;
  }

  /** Tell the user's other devices that they type; nothing is lost if there is no connection. */
  typing(chatId, isTyping = true) {
    this.#line.write("typing", {chat_id: chatId, is_typing: isTyping});
  }

  /** Note that the user has read up to a message, or all. */
  read(chatId, messageId) {
    this.#line.write("read", {chat_id: chatId, ...(messageId && {message_id: messageId})});
  }

  #deliver(entry, account) {
    const {chat, chat_id, content, client_id} = entry;
    if (chat) return this.#calls.createChat(chat, client_id, account);
    return new Promise((resolve, reject) => {
      const isSent = this.#lineAccount === account
        && this.#line.write("message", {chat_id, content, client_id});
      if (!isSent) {
        reject(new QuilliumError(OFFLINE));
        return;
      }
      const limit = ACKNOWLEDGED_MS + content.length / SLOWEST_MESSAGE;
      const timer = setTimeout(() => this.#line.replace(), limit);
      const done = act => value => {
        clearTimeout(timer);
        this.#sent.delete(client_id);
        act(value);
      };
      this.#sent.set(client_id, {resolve: done(resolve), reject: done(reject)});
      this.#line.expectAnswer();
    });
  }

  // The connection

  /** Open the socket, now if it waits to be tried again, and keep it open until `disconnect`. */
  connect() {
    if (!this.#listeners.signal.aborted) this.#line.open();
  }

  disconnect() {
    this.#line.close();
  }

  async #socketAddress() {
    const token = await this.#session.token();
    if (!token) return null;
    this.#sessionChanged(); // another tab's change may be there before it was told
    [this.#lineToken, this.#lineAccount] = [token, this.account];
    const since = this.#last ?? "latest";
    return `${this.#http.base.replace(/^http/, "ws")}/ws?token=${encodeURIComponent(token)}&since=${since}`;
  }

  async #opened() {
    const connection = ++this.#connection;
    this.#texts.clear(); // who joins in the middle is told the text from its beginning
    if (this.#last === null) this.#list();
    let ready;
    do {
      ready = this.#ready;
      await ready.catch(() => {}); // then the connection is left
    } while (ready !== this.#ready);
    if (connection !== this.#connection) return;
    this.#tell("status", "online");
    this.#queue.start();
  }

  #lineChanged(status) {
    this.#connection += 1;
    this.#queue.stop();
    for (const {reject} of [...this.#sent.values()]) reject(new QuilliumError(OFFLINE));
    this.#tell("status", status);
  }

  /** Close code 4401. The server decides: this token is refreshed before the next attempt. */
  #refused() {
    this.#session.refuse(this.#lineToken);
  }

  #sessionChanged() {
    const {isSignedIn, account} = this;
    const hasChanged = account !== this.#account;
    if (hasChanged) {
      [this.#account, this.#last] = [account, null];
      this.#line.reset();
      this.#loading = this.#queue.open(account);
    }
    if (this.#wasSignedIn && (!isSignedIn || hasChanged)) this.#tell("session", false);
    if (isSignedIn && (!this.#wasSignedIn || hasChanged)) this.#tell("session", true);
    this.#wasSignedIn = isSignedIn;
    if (isSignedIn) this.#line.check();
  }

  // Frames

  /** List anew; the frames that come meanwhile wait. If it fails, the connection is of no use. */
  #list() {
    this.#last = null;
    this.#texts.clear();
    const listing = Promise.resolve().then(() => this.#resync());
    this.#ready = listing;
    listing.catch(error => {
      if (this.#ready !== listing) return;
      this.#tell("unlisted", error);
      this.#line.fail();
    });
  }

  #received(frame) {
    const {type, data} = frame;
    if (type === "message" && data.client_id) this.#sent.get(data.client_id)?.resolve(data);
    const connection = this.#connection;
    const take = () => connection === this.#connection && this.#take(frame);
    if (data.code === "resync_required") this.#list();
    else this.#ready.then(take, () => {}); // `#list` leaves a connection whose listing fails
  }

  #take({type, data, seq}) {
    if (type === "message" && data.client_id) this.#queue.settle(data.client_id, data);
    if (type === "error") this.#takeError(data);
    if (seq !== undefined && this.#last !== null && seq <= this.#last) return; // told already
    this.#last = seq ?? this.#last;
    if (type === "error") return;
    if (type === "message") this.#texts.delete(data.id);
    if (type === "typing" && data.message_id) this.#takeDelta(data);
    this.#tell(type, data);
  }

  #takeDelta({chat_id, message_id, delta, offset, reasoning_delta, reasoning_offset}) {
    const {text = "", reasoning = ""} = this.#texts.get(message_id) ?? {};
    const reply = {
      text: delta === undefined ? text : (offset ? text : "") + delta,
      reasoning: reasoning_delta === undefined ? reasoning : (reasoning_offset ? reasoning : "") + reasoning_delta,
    };
    this.#texts.set(message_id, reply);
    this.#tell("reply", {chat_id, message_id, ...reply});
  }

  #takeError(data) {
    const sent = this.#sent.get(data.client_id);
    if (sent) sent.reject(new QuilliumError(data));
    else this.#tell("problem", new QuilliumError(data));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail}));
  }
}

export {QuilliumError};
