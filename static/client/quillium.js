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

import {Calls} from "./calls.js";
import {DESTROYED, OFFLINE, QuilliumError, SIGNED_OUT} from "./errors.js";
import {Http} from "./http.js";
import {Line} from "./line.js";
import {Queue, randomId} from "./queue.js";
import {Records} from "./records.js";
import {accountIn, defaultStorage, Session} from "./session.js";

export {QuilliumError};

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
