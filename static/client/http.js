/** Requests to the API: URLs, time-outs and typed errors, independent of sessions. */

import {BROKEN_OFF, OFFLINE, QuilliumError} from "./errors.js";

const RESPONSE_MS = 30_000; // until the response headers arrive
const READ_MS = 15_000; // the same for requests that can be retried
const BODY_MS = 300_000; // until the response ends
const SLOWEST_UPLOAD = 16; // bytes per millisecond; a large body gets more time
const API_PREFIX = /^(?:\/[^/?#]+)*?(?:\/api)?\/v1(?=\/)/; // of links, with the base path (contract, section 1)

export class Http {
  #base;
  #headers;
  #fetch;
  #upload;

  /**
   * @param {string} base URL of the API, absolute or relative to the page
   * @param {Record<string, string> | (() => Record<string, string>)} headers sent with each request
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, headers, fetcher) {
    this.#base = base;
    this.#headers = headers;
    this.#fetch = fetcher ?? ((...request) => fetch(...request));
    // `fetch` doesn't report progress, and Node has nothing else.
    this.#upload = fetcher || !globalThis.XMLHttpRequest ? this.#fetch : fetchWithProgress;
  }

  /** The absolute URL of the API, without a trailing slash. */
  get base() {
    return new URL(this.#base, globalThis.location?.href).href.replace(/\/$/, "");
  }

  /**
   * The URL of a path below the base, or of a link in an API response.
   *
   * @throws {TypeError} for another server's URL, which must never receive the token
   */
  address(path) {
    const {base} = this;
    if (/^https?:/i.test(path)) {
      if (path === base || path.startsWith(`${base}/`)) return path;
      throw new TypeError(`${path} is not an address below ${base}`);
    }
    if (!/^\/(?!\/)/.test(path)) throw new TypeError(`${path} is not a path of the API`);
    const own = new URL(base).pathname;
    const isOwn = own !== "/" && path.startsWith(`${own}/`);
    return base + (isOwn ? path.slice(own.length) : path.replace(API_PREFIX, ""));
  }

  /**
   * Send a request. A read without a response is retried once, because its connection may be half-open.
   *
   * @returns {Promise<any>} the response's body in the form `as`; null if there is none
   * @throws {QuilliumError}
   * @throws {DOMException} `AbortError` if `signal` was aborted
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
    const {signal, keepalive, as = "json", headers, timeout = RESPONSE_MS, onProgress} = options;
    const address = this.address(path);
    const isFile = body instanceof Blob;
    const sent = body === undefined || isFile ? body : JSON.stringify(body);
    const ownHeaders = typeof this.#headers === "function" ? this.#headers() : this.#headers;
    const limit = new AbortController();
    let timer = setTimeout(() => limit.abort(), timeout + (sent?.size ?? sent?.length ?? 0) / SLOWEST_UPLOAD);
    try {
      const response = await (onProgress ? this.#upload : this.#fetch)(address, {
        method, keepalive, body: sent, onProgress,
        headers: {
          ...(sent !== undefined && {"Content-Type": isFile ? "application/octet-stream" : "application/json"}),
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

/** Like `fetch`, with `onProgress(share)`, which is called while the body is sent. */
function fetchWithProgress(address, {method, body, headers, signal, onProgress}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({loaded, total}) => total && onProgress(loaded / total);
    request.onload = () => resolve(new Response(request.response, {
      status: request.status,
      headers: {"Retry-After": request.getResponseHeader("Retry-After") ?? ""},
    }));
    request.onerror = request.onabort = reject;
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

async function errorOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  const parsed = await response.json().catch(() => null); // a gateway's error page
  return new QuilliumError(parsed?.error?.code ? parsed.error : OFFLINE, response.status, retryAfter);
}
