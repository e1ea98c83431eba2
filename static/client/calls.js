/** Authenticated requests, with token refresh and waiting for rate limits. */

import {QuilliumError, SIGNED_OUT} from "./errors.js";

const LONGEST_WAIT_SECONDS = 60; // for a rate limit; its bucket is full again by then

const CREATE_MS = 15_000; // creating a chat with a `client_id` can be retried

export class Calls {
  #http;
  #session;
  #onWait;
  #supportsClientIds = true; // whether the server supports a `client_id` for chats

  /**
   * @param {import("./http.js").Http} http
   * @param {import("./session.js").Session} session
   * @param {(seconds: number) => void} onWait called with the seconds before waiting for a rate limit
   */
  constructor(http, session, onWait) {
    this.#http = http;
    this.#session = session;
    this.#onWait = onWait;
  }

  /** See `Quillium.call`. With an `account`, the request is sent only for that account. */
  async call(method, path, body, options = {}, account = null) {
    let hasRefreshed = false;
    let hasWaited = false;
    for (;;) {
      const token = await this.#session.token();
      if (account !== null && this.#session.account !== account) throw new QuilliumError(SIGNED_OUT, 401);
      try {
        return await this.#http.send(method, path, body, token, options);
      } catch (error) {
        const isRefused = token && (error.code === "token_expired" || error.code === "invalid_token");
        const isLimited = error.code === "rate_limited" && error.retryAfter <= LONGEST_WAIT_SECONDS;
        if (isRefused && !hasRefreshed) {
          hasRefreshed = true;
          await this.#session.refresh(token);
        } else if (isLimited && !hasWaited) {
          hasWaited = true;
          this.#onWait(error.retryAfter);
          await new Promise(resolve => setTimeout(resolve, 1000 * error.retryAfter));
          options.signal?.throwIfAborted();
        } else {
          throw error;
        }
      }
    }
  }

  /** Create a chat, idempotently. */
  async createChat(chat, clientId, account) {
    if (this.#supportsClientIds) {
      try {
        return await this.call("POST", "/chats", {...chat, client_id: clientId}, {timeout: CREATE_MS}, account);
      } catch (error) {
        if (error.status !== 400 || !error.message.includes("client_id")) throw error;
        this.#supportsClientIds = false; // an older server
      }
    }
    return this.call("POST", "/chats", chat, {}, account);
  }
}
