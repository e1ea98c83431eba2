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

export class ReconnectingSocket {
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
