/**
 * A persistent WebSocket: reconnects with back-off, and detects half-open connections.
 *
 * A half-open connection looks like an idle one. So if nothing was received for `QUIET_MS` in a visible
 * tab, or a frame expects a response, the server must send something within `ANSWER_MS`. Otherwise the
 * socket is replaced at once, without the browser's closing handshake, which takes a minute. The total
 * is under 20 s. An idle server answers the probe and keeps its connection.
 */

const QUIET_MS = 9_000;
const ANSWER_MS = 7_000;
const OPENING_MS = 15_000;
const TICK_MS = 1_000;
const LATE_MS = 3_000; // a later tick means that the tab was frozen: received frames are not read yet
const RECENT_MS = 2_000; // a connection with a frame this recent needs no probe
const STEADY_MS = 5_000; // a connection that breaks sooner counts as a failed attempt
const LONGEST_BACKOFF_MS = 30_000;
const OPEN = 1; // WebSocket.OPEN; Node before 22 has no WebSocket

/** A frame without effect, which the server answers with an error that contains its `client_id`. */
const PROBE = {type: "typing", data: {client_id: "probe"}};
const isProbeAnswer = ({type, data}) => type === "error" && data.client_id === PROBE.data.client_id;

const now = () => performance.now();
const isVisible = () => !globalThis.document?.hidden;

export class Line {
  #owner;
  #socket = null; // a placeholder while its URL is being determined
  #isWanted = false;
  #attempts = 0; // since the last stable connection
  #openedAt = Infinity;
  #retryTimer = 0;
  #ticker = 0;
  #tickedAt = 0;
  #receivedAt = 0;
  #askedAt = null; // when a response was requested; null if none is pending
  #hasAskedAgain = false; // after a late tick
  #unsent = 0; // bytes in the socket's buffer at the last tick

  /**
   * @param {object} owner
   * @param {() => Promise<string | null>} owner.address null if signed out
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

  /** Open the connection, without waiting for the back-off, and keep it open until `close`. */
  open() {
    this.#isWanted = true;
    this.#now();
  }

  close() {
    this.#isWanted = false;
    this.#drop();
    clearTimeout(this.#retryTimer);
  }

  /** Replace the connection immediately. */
  replace() {
    if (this.#socket === null) return;
    this.reset();
    this.#now();
  }

  /** Drop an unusable connection, and retry later. */
  fail() {
    this.#drop({isTriedAgain: true});
  }

  /** Drop the connection, because it belongs to another session. */
  reset() {
    this.#attempts = 0;
    this.#drop();
  }

  /** Check or open the connection when the tab becomes visible or the network is back. */
  check() {
    if (!this.isOpen) this.#now();
    else if (now() - this.#receivedAt > RECENT_MS) this.#ask();
  }

  /** @returns {boolean} whether the connection was open */
  write(type, data) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify({type, data}));
    return true;
  }

  /** Replace the connection unless the server sends something soon. */
  expectAnswer() {
    this.#askedAt ??= now();
  }

  #now() {
    clearTimeout(this.#retryTimer);
    if (this.#isWanted && this.#socket === null) this.#open();
  }

  async #open() {
    const placeholder = {close() {}};
    this.#socket = placeholder; // prevents a second connection meanwhile
    this.#openedAt = Infinity;
    this.#owner.changed("connecting");
    let address;
    try {
      address = await this.#owner.address();
    } catch {
      address = undefined; // the server is unreachable: retry later
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

  /** Drop the socket and ignore its further events. */
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
