/**
 * A client of the Quillium API for any front end, with no dependency: sessions, typed errors, and a
 * socket that loses nothing. What it promises:
 *
 * - Tokens are refreshed once for all tabs, and a tab follows when another signs in or out.
 * - What is said is stored once, however often the line breaks: it is sent again, with the same
 *   `client_id`, until it is acknowledged, through reloads of the tab too.
 * - Each frame is told once and in order. After a break the socket goes on where it was; when that
 *   can't be, and at the beginning, `resync` is called, and frames wait until it has listed anew.
 *
 *     const quillium = new Quillium({resync: () => listWhatIsShown()});
 *     quillium.addEventListener("message", ({detail}) => show(detail));
 *     await quillium.login("ada@example.com", "a good password");
 *     const stored = await quillium.say(chatId, "Hello");
 *
 * Events (a CustomEvent's `detail`): `message`, `read`, `chat`, `typing` (the frames' data; see
 * docs/realtime.md), `reply` ({chat_id, message_id, text}: the text so far), `status` ("offline",
 * "connecting", "online"), `session` (whether somebody is signed in), `waiting` (seconds that a
 * rate limit costs), `outbox` (what was said and is not acknowledged), `refused` ({chat_id, content,
 * error}: what was said and can't be stored), `problem` (an error frame that answers nothing of ours).
 *
 * @module
 */

/** An error of the API (docs/api.md), or `code` "offline" when there was no answer. */
export class QuilliumError extends Error {
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

const EARLY_SECONDS = 30; // a token is refreshed before it ends
const LONGEST_WAIT_SECONDS = 60; // for a rate limit; its bucket is full again by then
const LONGEST_BACKOFF_MS = 30_000;
const AWAY_MS = 60_000; // after so long without a frame, a tab that is shown again connects anew
const STEADY_MS = 5_000; // a line that broke sooner counts as a failed attempt
const SEEN_MS = 1_000; // for what another tab has kept to be seen; else it has kept nothing
const RETRY_MS = 5_000; // for a message that was refused for now
const FOR_NOW = new Set(["rate_limited", "storage_unavailable", "shutting_down", "internal_error"]);
const SIGNED_OUT = {code: "invalid_token", message: "Signed out", details: "You are signed out."};
const OFFLINE = {code: "offline", message: "No answer", details: "The server can't be reached."};

export class Quillium extends EventTarget {
  #base;
  #resync;
  #name;
  #socket = null;
  #isKnown; // whether those who listen know that somebody is signed in
  #wanted = false; // whether there should be a socket
  #last = null; // the largest `seq` that was told; null before the first
  #ready = Promise.resolve(); // what frames wait for
  #attempts = 0; // since there was a steady line
  #openedAt = Infinity;
  #timer = 0;
  #heardAt = 0;
  #isHolding = false; // after a refusal for now, such as by the rate limit
  #texts = new Map(); // of replies that are being written, by message id
  #promises = new Map(); // by client_id: of those who wait for an acknowledgement

  /**
   * @param {object} [options]
   * @param {string} [options.base] address of the API
   * @param {() => unknown} [options.resync] lists again what is shown; frames wait for it
   * @param {string} [options.name] under which tokens and what waits are kept, for several servers
   */
  constructor({base = "/api/v1", resync = () => {}, name = "quillium"} = {}) {
    super();
    this.#base = new URL(base, location.href).href.replace(/\/$/, "");
    this.#resync = resync;
    this.#name = name;
    this.#isKnown = this.isSignedIn;
    addEventListener("storage", event => event.key === this.#name && this.#sessionChanged());
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && Date.now() > this.#heardAt + AWAY_MS) this.#socket?.close();
      if (!document.hidden) this.#now();
    });
  }

  // Sessions

  /** @returns {boolean} */
  get isSignedIn() {
    return this.#tokens() !== null;
  }

  /** Make an account and sign in. @returns {Promise<object>} the user */
  async register(email, password, name) {
    const made = await this.#send("POST", "/auth/register", {email, password, ...(name && {name})});
    this.#keep(made);
    return made.user;
  }

  async login(email, password) {
    this.#keep(await this.#send("POST", "/auth/login", {email, password}));
  }

  /** Sign out here, or on every device. The tokens are forgotten even if the server is away. */
  async logout({everywhere = false} = {}) {
    try {
      await this.call("POST", "/auth/logout", {everywhere});
    } finally {
      this.#forget();
    }
  }

  /**
   * Call the API. A token that has ended is refreshed, and a rate limit is waited for.
   *
   * @param {string} method
   * @param {string} path such as `/chats?limit=20`
   * @param {object} [body]
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {boolean} [options.keepalive] whether it outlives the page
   * @param {"json" | "text"} [options.as] what the answer is taken for
   * @returns {Promise<any>} the answer; null where there is none
   * @throws {QuilliumError}
   */
  async call(method, path, body, options) {
    let hasRefreshed = false;
    let hasWaited = false;
    for (;;) {
      const token = await this.#token();
      try {
        return await this.#send(method, path, body, token, options);
      } catch (error) {
        if (error.code === "token_expired" && !hasRefreshed) {
          hasRefreshed = true;
          await this.#refresh(token);
        } else if (error.code === "rate_limited" && !hasWaited
          && error.retryAfter <= LONGEST_WAIT_SECONDS) {
          hasWaited = true;
          this.#tell("waiting", error.retryAfter);
          await new Promise(resolve => setTimeout(resolve, 1000 * error.retryAfter));
          options?.signal?.throwIfAborted();
        } else {
          if (error.code === "invalid_token") this.#forget();
          throw error;
        }
      }
    }
  }

  // The socket

  /** Open the socket, now if it waits to be tried again, and keep it open until `disconnect`. */
  connect() {
    this.#wanted = true;
    this.#now();
  }

  disconnect() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /**
   * Say something. It goes out when there is a line, and once.
   *
   * @returns {Promise<object>} the stored message
   * @throws {QuilliumError} when it can't be stored, such as in a chat that is gone
   */
  say(chatId, content) {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    const client_id = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
    const data = {chat_id: chatId, content, client_id};
    this.#setOutbox([...this.outbox, data]);
    const stored = new Promise((resolve, reject) => {
      this.#promises.set(client_id, {resolve, reject});
    });
    if (!this.#isHolding) this.#write("message", data);
    return stored;
  }

  /** What was said and is not acknowledged, oldest first. @returns {object[]} */
  get outbox() {
    return JSON.parse(sessionStorage.getItem(`${this.#name}-outbox`) ?? "[]");
  }

  /** Tell the user's other devices that they type; nothing is lost if there is no line. */
  typing(chatId, isTyping = true) {
    this.#write("typing", {chat_id: chatId, is_typing: isTyping});
  }

  /** Note that the user has read up to a message, or all. */
  read(chatId, messageId) {
    this.#write("read", {chat_id: chatId, ...(messageId && {message_id: messageId})});
  }

  // Tokens

  #tokens() {
    return JSON.parse(localStorage.getItem(this.#name) ?? "null");
  }

  #keep({access_token, refresh_token, expires_in}) {
    const ends_at = Date.now() + 1000 * expires_in;
    localStorage.setItem(this.#name, JSON.stringify({access_token, refresh_token, ends_at}));
    this.#sessionChanged();
  }

  #forget() {
    if (!this.isSignedIn) return;
    localStorage.removeItem(this.#name);
    this.#sessionChanged();
  }

  #sessionChanged() {
    const isSignedIn = this.isSignedIn;
    if (!isSignedIn) {
      this.#last = null;
      this.#socket?.close();
      for (const {client_id} of this.outbox) this.#refuse(client_id, new QuilliumError(SIGNED_OUT));
    }
    if (isSignedIn !== this.#isKnown) this.#tell("session", isSignedIn);
    this.#isKnown = isSignedIn;
    if (isSignedIn) this.#now();
  }

  async #token() {
    const tokens = this.#tokens();
    if (!tokens || Date.now() < tokens.ends_at - 1000 * EARLY_SECONDS) return tokens?.access_token;
    return this.#refresh(tokens.access_token);
  }

  /** Exchange the tokens, unless another tab did so since `token` was read; the access token. */
  async #refresh(token) {
    const exchange = async () => {
      const tokens = this.#tokens();
      if (!tokens || tokens.access_token !== token) return tokens?.access_token;
      const {refresh_token} = tokens;
      try {
        const fresh = await this.#send("POST", "/auth/refresh", {refresh_token});
        this.#keep(fresh);
        return fresh.access_token;
      } catch (error) {
        if (error.status === 401) this.#forget();
        throw error;
      }
    };
    // Pages that are not served over TLS or from this machine have no locks; there the server
    // forgives that two tabs use a token at once.
    if (!navigator.locks) return exchange();
    const name = `${this.#name}-refresh`;
    const mine = await navigator.locks.request(name, {ifAvailable: true},
      async lock => lock && {fresh: await exchange()});
    return mine ? mine.fresh : navigator.locks.request(name, () => this.#seen(token).then(exchange));
  }

  /** Wait until this tab sees what another one has kept, which may be later than its lock ends. */
  #seen(token) {
    if (this.#tokens()?.access_token !== token) return Promise.resolve();
    return new Promise(resolve => {
      addEventListener("storage", resolve, {once: true});
      setTimeout(resolve, SEEN_MS);
    });
  }

  async #send(method, path, body, token, {signal, keepalive, as = "json"} = {}) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    let answer;
    try {
      answer = await fetch(this.#base + path, {
        method, headers, signal, keepalive,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      throw error.name === "AbortError" ? error : new QuilliumError(OFFLINE);
    }
    const parsed = await answer[answer.ok ? as : "json"]().catch(() => null);
    if (answer.ok) return parsed;
    const retryAfter = Number(answer.headers.get("Retry-After") ?? 0);
    throw new QuilliumError(parsed?.error ?? OFFLINE, answer.status, retryAfter);
  }

  // The line

  #now() {
    clearTimeout(this.#timer);
    if (this.#wanted && this.isSignedIn && this.#socket === null) this.#open();
  }

  async #open() {
    const opening = {close() {}}; // so that nobody else opens one meanwhile
    this.#socket = opening;
    this.#openedAt = Infinity;
    this.#tell("status", "connecting");
    let token;
    try {
      token = await this.#token();
    } catch {
      token = null;
    }
    if (!this.#wanted || !token) {
      this.#lost(opening);
      return;
    }
    const since = this.#last ?? "latest";
    const address = `${this.#base.replace(/^http/, "ws")}/ws?token=${token}&since=${since}`;
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = async () => {
      this.#openedAt = this.#heardAt = Date.now();
      this.#texts.clear(); // who joins in the middle is told the text from its beginning
      if (since === "latest") this.#list(socket);
      await this.#ready.then(() => this.#arrived(socket), () => {});
    };
    socket.onmessage = event => this.#hear(socket, JSON.parse(event.data));
    socket.onclose = event => {
      const hasEnded = event.code === 4401 && event.reason !== "token_expired";
      if (hasEnded) this.#refresh(token).catch(() => {}); // also forgets a session that is over
      this.#lost(socket);
    };
  }

  #arrived(socket) {
    if (socket !== this.#socket) return;
    this.#tell("status", "online");
    this.#sendOutbox();
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#tell("status", "offline");
    if (Date.now() > this.#openedAt + STEADY_MS) this.#attempts = 0;
    const most = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** this.#attempts++);
    this.#timer = setTimeout(() => this.#now(), Math.random() * most);
  }

  /** List anew; the frames that come meanwhile wait. If it fails, the socket is of no use. */
  #list(socket) {
    this.#last = null;
    this.#texts.clear();
    this.#ready = Promise.resolve().then(() => this.#resync());
    this.#ready.catch(() => socket.close());
  }

  #hear(socket, frame) {
    this.#heardAt = Date.now();
    if (frame.data.code === "resync_required") this.#list(socket);
    else this.#ready.then(() => socket === this.#socket && this.#take(frame), () => {});
  }

  #take({type, data, seq}) {
    if (type === "message" && data.client_id) this.#settle(data.client_id)?.resolve(data);
    if (type === "error") this.#answerError(data);
    if (seq !== undefined && this.#last !== null && seq <= this.#last) return; // told already
    this.#last = seq ?? this.#last;
    if (type === "error") return;
    if (type === "message") this.#texts.delete(data.id);
    if (type === "typing" && data.message_id) {
      const text = (data.offset ? this.#texts.get(data.message_id) ?? "" : "") + data.delta;
      this.#texts.set(data.message_id, text);
      this.#tell("reply", {chat_id: data.chat_id, message_id: data.message_id, text});
    }
    this.#tell(type, data);
  }

  #answerError(data) {
    const waits = this.outbox.find(({client_id}) => client_id === data.client_id);
    if (!waits) {
      this.#tell("problem", new QuilliumError(data));
    } else if (FOR_NOW.has(data.code)) {
      if (data.code === "rate_limited") this.#tell("waiting", RETRY_MS / 1000);
      this.#hold();
    } else {
      this.#refuse(data.client_id, new QuilliumError(data));
    }
  }

  /** Nothing that is said later overtakes what was refused for now. */
  #hold() {
    if (this.#isHolding) return;
    this.#isHolding = true;
    setTimeout(() => {
      this.#isHolding = false;
      this.#sendOutbox();
    }, RETRY_MS);
  }

  #sendOutbox() {
    if (this.#isHolding) return;
    for (const data of this.outbox) this.#write("message", data);
  }

  /** What was said can't be stored: whoever said it gets it back. */
  #refuse(clientId, error) {
    const {chat_id, content} = this.outbox.find(({client_id}) => client_id === clientId);
    this.#settle(clientId)?.reject(error);
    this.#tell("refused", {chat_id, content, error});
  }

  /** Take it out of the outbox; the promise of who said it, if that was in this life of the tab. */
  #settle(clientId) {
    const waiting = this.outbox;
    const left = waiting.filter(({client_id}) => client_id !== clientId);
    if (left.length < waiting.length) this.#setOutbox(left);
    const promise = this.#promises.get(clientId);
    this.#promises.delete(clientId);
    return promise;
  }

  #setOutbox(waiting) {
    sessionStorage.setItem(`${this.#name}-outbox`, JSON.stringify(waiting));
    this.#tell("outbox", waiting);
  }

  #write(type, data) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({type, data}));
    }
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail}));
  }
}
