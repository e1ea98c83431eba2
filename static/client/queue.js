/**
 * The outbox of an account: sends new chats and messages in order and exactly once.
 *
 * Each entry is stored before it is sent and removed once the server has acknowledged it. Its
 * `client_id` makes retries idempotent. One entry is in flight at a time, so retries keep the order.
 * All tabs of an origin share the queue, and a lock selects the tab that sends. Without locks, two tabs
 * may send the same entry, which is harmless. An account's entries are sent only over its own session.
 */

import {DESTROYED, isTemporary, NO_SUCH_CHAT, QuilliumError} from "./errors.js";
import {channel, locked} from "./tabs.js";

const RATE_LIMIT_MS = 5_000; // for a rate limit without `Retry-After`
const LONGEST_RETRY_MS = 30_000;
const LOCK_MS = 15_000; // a tab that holds the lock longer is assumed frozen
const MAX_SERVER_ERRORS = 6; // of one entry; then it is rejected
const MAX_CREATED = 500; // chats whose local ids are kept, for addresses with a local id
const MAX_SETTLED = 500; // then the records are read, and the ids that they no longer have forgotten

/** A local id of a chat that is not on the server yet; it is also the chat's `client_id`. */
const isLocal = chatId => chatId.startsWith("new_");

const hexadecimal = byte => byte.toString(16).padStart(2, "0");
export const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), hexadecimal).join("");

/** An entry to store: files as bytes, because WebKit can't store a `Blob` in private windows. */
const withBytes = async ({files = [], ...entry}) => ({...entry, files: await Promise.all(files.map(bytesOf))});

const bytesOf = async file => (file instanceof Blob
  ? {name: file.name, type: file.type, bytes: await file.arrayBuffer()} : file);

/** The entry that `withBytes` stored. */
const withFiles = ({files = [], ...entry}) => ({...entry, files: files.map(fileOf)});

const fileOf = ({bytes, ...file}) => (bytes ? new File([bytes], file.name ?? "file", file) : file);

export class Queue {
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
   * @param {import("./records.js").Records} options.records
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
