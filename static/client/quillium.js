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

import {Calls} from "./calls.js";
import {DESTROYED, OFFLINE, QuilliumError, SIGNED_OUT} from "./errors.js";
import {Http} from "./http.js";
import {ReconnectingSocket} from "./socket.js";
import {Queue, randomId} from "./queue.js";
import {Records} from "./records.js";
import {accountIn, defaultStorage, Session} from "./session.js";

export {QuilliumError};

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
