/**
 * Records of accounts in IndexedDB: what waits to be sent, and drafts.
 *
 * Every method rejects where the browser refuses to store (private windows, a full disk, a server):
 * the caller then keeps what it has in memory. A write is committed at once, so that it outlives a
 * tab that is closed right after it.
 */

const OPEN_MS = 3_000; // a browser that does not answer does not store

export class Records {
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
