/**
 * What an account sends: new chats and messages, in order and exactly once.
 *
 * Each entry is stored before it is sent and removed once the server has acknowledged it. It is sent
 * with its `client_id`, so that the server stores it once however often it is sent; one entry is under
 * way at a time, so that nothing overtakes what has to be sent again. All tabs of an origin share the
 * queue: a lock has one of them send, and where there are no locks two may send the same entry, which
 * is as good. The entries of an account are sent over its own session only.
 */

import {DESTROYED, isTemporary, NO_SUCH_CHAT, QuilliumError} from "./errors.js";
import {channel, locked} from "./tabs.js";

const RATE_LIMIT_MS = 5_000; // for a rate limit that doesn't say when it ends
const LONGEST_RETRY_MS = 30_000;
const LOCK_MS = 15_000; // a tab that holds the lock longer is frozen
const MAX_SERVER_ERRORS = 6; // after so many, an entry that the server fails on is given back

/** An id of a chat that the server does not know yet; it is also the chat's `client_id`. */
const isLocal = chatId => chatId.startsWith("new_");

const hexadecimal = byte => byte.toString(16).padStart(2, "0");
export const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), hexadecimal).join("");

export class Queue {
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
   * @param {import("./records.js").Records} options.records
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
