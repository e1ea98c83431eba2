/** API errors, and which of them can be retried. */

/** An error of the API (docs/api.md); `code` is "offline" if there was no response. */
export class QuilliumError extends Error {
  /**
   * @param {{code: string, message: string, details: string}} error
   * @param {number} [status] HTTP status; 0 if there was no response
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

export const OFFLINE = {code: "offline", message: "No response", details: "The server can't be reached."};
export const BROKEN_OFF = {code: "offline", message: "No response", details: "The response was incomplete."};
export const SIGNED_OUT = {code: "invalid_token", message: "Signed out", details: "You are signed out."};
export const DESTROYED = {code: "destroyed", message: "Destroyed", details: "This client was destroyed."};
export const NO_SUCH_CHAT = {code: "not_found", message: "Not found", details: "There is no such chat."};

const TEMPORARY = new Set([
  "offline", "rate_limited", "storage_unavailable", "shutting_down", "internal_error",
  "unauthorized", "invalid_token", "token_expired", // the session handles these
]);

/** Whether the same request may succeed later. A gateway's errors have no API code. */
export const isTemporary = error =>
  !(error instanceof QuilliumError) || TEMPORARY.has(error.code) || error.status >= 500;
