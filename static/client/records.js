/**
 * Per-account records in IndexedDB: the outbox and drafts.
 *
 * Every method rejects if storage is unavailable (private windows, a full disk, server rendering); the
 * caller then keeps its data in memory. Writes are committed immediately, so they survive if the tab is
 * closed right afterwards.
 */

const OPEN_MS = 3_000; // then storage counts as unavailable

const STORES = ["outbox", "created", "drafts"];

export class Records {
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
