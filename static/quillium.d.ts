/**
 * Types of `quillium.js`. All names begin with `Quillium`, so they don't clash with types that are
 * generated from the OpenAPI document.
 */

/** An error of the API. */
export class QuilliumError extends Error {
  constructor(
    error: {code: string; message?: string; details?: string}, status?: number, retryAfter?: number,
  );
  readonly name: "QuilliumError";
  /**
   * A code of the API, such as `"not_found"`. `"offline"`: there was no complete response.
   * `"destroyed"`: the client was destroyed.
   */
  readonly code: string;
  /** HTTP status; 0 if there was no response. */
  readonly status: number;
  /** Seconds until the request can be retried; 0 if the server did not specify it. */
  readonly retryAfter: number;
}

/** Tokens of a session, for `useTokens`. */
export interface QuilliumTokens {
  /** An access token or an API key. */
  access_token: string;
  /** Renews the access token. Without it, the session ends with the access token. */
  refresh_token?: string;
  /** Lifetime of the access token in seconds. */
  expires_in?: number;
}

/** A user account. */
export interface QuilliumUser {
  id: string;
  email: string;
  name: string;
  is_admin: boolean;
  /** RFC 3339, in UTC. */
  created_at: string;
  [field: string]: unknown;
}

/** A file that the user uploaded. */
export interface QuilliumFile {
  id: string;
  name: string;
  /** Media type, detected from the content. */
  content_type: string;
  /** Size in bytes. */
  size: number;
  /** RFC 3339, in UTC. */
  created_at: string;
}

/** A message of a chat. */
export interface QuilliumMessage {
  id: string;
  chat_id: string;
  /** Text in Markdown. */
  content: string;
  sender: "user" | "assistant";
  /** RFC 3339, in UTC. */
  timestamp: string;
  /**
   * `streaming` while the reply is being written. A reply that ended early is `stopped` (by the user),
   * `interrupted` (by a restart of the server) or `failed` (see `error`).
   */
  status: "complete" | "streaming" | "stopped" | "interrupted" | "failed";
  /** Model that wrote the reply; null for a user's message. */
  model: string | null;
  /** Id that the sending client chose, to make retries idempotent. */
  client_id: string | null;
  /** Files of a user's message. */
  attachments: QuilliumFile[];
  /** Reason for the status `failed`. */
  error?: {code: string; message: string; details: string} | null;
  [field: string]: unknown;
}

/** A chat of the signed-in user. */
export interface QuilliumChat {
  id: string;
  title: string;
  /** Model that writes the replies. */
  model: string;
  /** RFC 3339, in UTC. */
  created_at: string;
  /** RFC 3339, in UTC. Changes with each message. */
  updated_at: string;
  message_count: number;
  /** Replies that the user has not read. */
  unread_count: number;
  last_message: QuilliumMessage | null;
  [field: string]: unknown;
}

/** A message in the outbox: the server has not acknowledged it. */
export interface QuilliumUnsentMessage {
  /** Id of the chat, or the local id that `begin` returned. */
  chat_id: string;
  content: string;
  client_id: string;
  /** When the user sent it. RFC 3339, in UTC. */
  timestamp: string;
  /** Files to attach: uploaded ones, or data that is still to be uploaded. */
  files: (Blob | {id: string})[];
}

/** A chat that `begin` created and that the server has not acknowledged. */
export interface QuilliumUnsentChat {
  /** The local id that `begin` returned. */
  id: string;
  /** RFC 3339, in UTC. */
  timestamp: string;
  [field: string]: unknown;
}

/** The `detail` of each event. */
export interface QuilliumEvents {
  /** A message was stored. A reply is sent when it has ended. */
  message: QuilliumMessage;
  /** Messages up to `message_id` were read. */
  read: {chat_id: string; message_id?: string; sender: "user" | "assistant"; unread_count?: number};
  /** A chat was created, changed or deleted. */
  chat: QuilliumChat & {deleted?: false} | {id: string; deleted: true};
  /** The user is typing on another device, or a reply has grown. `reply` has the text so far. */
  typing: {
    chat_id: string; sender: "user" | "assistant"; is_typing: boolean; timestamp: string;
    message_id?: string; delta?: string; offset?: number;
    reasoning_delta?: string; reasoning_offset?: number;
  };
  /** A reply has grown: all of its text and reasoning so far. */
  reply: {chat_id: string; message_id: string; text: string; reasoning: string};
  /** State of the WebSocket. */
  status: "offline" | "connecting" | "online";
  /** Whether a user is signed in. Other tabs can change this, too. */
  session: boolean;
  /** A request waits for a rate limit, for this many seconds. */
  waiting: number;
  /** The outbox after a change, oldest message first. */
  outbox: QuilliumUnsentMessage[];
  /** The server has created a chat of `begin`. Replace `local_id` with `chat.id`. */
  created: {local_id: string; chat: QuilliumChat};
  /** A message was rejected and removed from the outbox. Emitted in one tab only. */
  refused: {chat_id: string; content: string; files: (Blob | {id: string})[]; error: QuilliumError};
  /** The files of a message in the outbox are being uploaded: the share that was sent, 0 to 1. */
  upload: {client_id: string; share: number};
  /** `resync` failed with this reason. It is called again after the next connection. */
  unlisted: unknown;
  /** The server reported an error that belongs to no message. */
  problem: QuilliumError;
}

/** Storage for tokens, such as `localStorage` or `sessionStorage`. */
export interface QuilliumStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface QuilliumOptions {
  /** URL of the API. Default: `"/api/v1"` on the page's own server. */
  base?: string;
  /**
   * Reloads the data that is displayed. Called after the first connection, and when the server can't
   * replay all missed frames. Events wait until the returned promise resolves.
   */
  resync?: () => unknown;
  /** Key under which tokens and messages are stored. Use one for each server. Default: `"quillium"`. */
  name?: string;
  /** Where tokens are stored. Default: `localStorage`, or memory if it is unavailable. */
  storage?: QuilliumStorage;
  /** Headers of every request. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** Replaces the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** Replaces the global `WebSocket`. Required in Node before version 22. */
  WebSocket?: new (url: string) => unknown;
}

export interface QuilliumCallOptions<As extends "json" | "text" | "blob" | "response" = "json"> {
  /** Cancels the request. */
  signal?: AbortSignal;
  /** Called with the share of the body that was sent, from 0 to 1. Browsers only. */
  onProgress?: (share: number) => void;
  /** Lets the request continue after the page is closed. Default: false. */
  keepalive?: boolean;
  /** Headers of this request. */
  headers?: Record<string, string>;
  /** Milliseconds until the response headers must arrive. Default: 30,000. */
  timeout?: number;
  /** How to parse the response. Default: `"json"`. */
  as?: As;
}

export interface QuilliumSayOptions {
  /**
   * Files to attach, at most 10. `Blob`s are uploaded first, and wait in the outbox with the message.
   */
  files?: (Blob | {id: string})[];
}

export interface QuilliumUploadOptions {
  /** Name of a `Blob` that is no `File`. Default: the file's own name, or `"file"`. */
  name?: string;
  /** Cancels the upload. */
  signal?: AbortSignal;
  /** Called with the share that was sent, from 0 to 1. Browsers only. */
  onProgress?: (share: number) => void;
}

/**
 * A client of the API: sessions, requests, and a WebSocket that loses no messages.
 *
 * @example
 * const quillium = new Quillium({resync: () => reloadChats()});
 * quillium.addEventListener("message", ({detail}) => render(detail));
 * await quillium.login("ada@example.com", "a good password");
 * quillium.connect();
 * const message = await quillium.say(chatId, "Hello");
 */
export class Quillium {
  constructor(options?: QuilliumOptions);

  /** Whether a user is signed in. */
  readonly isSignedIn: boolean;
  /** Id of the signed-in user; null if signed out. */
  readonly account: string | null;
  /** Whether the server ended the last session, rather than the user. */
  readonly hasEnded: boolean;
  /** Messages that the server has not acknowledged, oldest first. */
  readonly outbox: QuilliumUnsentMessage[];
  /** Chats that the server has not acknowledged, oldest first. */
  readonly newChats: QuilliumUnsentChat[];

  /**
   * Create an account and sign in.
   *
   * @param setupCode Code that the server prints when it starts. Required for the first account of a
   * server that listens on a network.
   */
  register(email: string, password: string, name?: string, setupCode?: string): Promise<QuilliumUser>;
  /** Sign in, in all tabs. */
  login(email: string, password: string): Promise<void>;
  /** Sign in with tokens from another source, or with an API key as `access_token`. */
  useTokens(tokens: QuilliumTokens): Promise<void>;
  /**
   * Sign out, here or with `everywhere` on all devices. The tokens are deleted at once, even if the
   * server is unreachable and the promise rejects.
   */
  logout(options?: {everywhere?: boolean}): Promise<void>;

  /**
   * Call the API. Refreshes an expired token and waits for a rate limit of up to 60 s, once each.
   * Rejects with a `QuilliumError`.
   *
   * @param path Path below `base`, such as `"/chats?limit=20"`, or a link from a response, such as
   * `pagination.next`.
   * Deleting the account also ends the session and deletes the account's data from this browser.
   * @returns The parsed body, or null if there is none. `Body` may be a generated type.
   */
  call<Body = any>(
    method: string, path: string, body?: unknown, options?: QuilliumCallOptions<"json">,
  ): Promise<Body>;
  /** Call the API and return the body as text. */
  call(
    method: string, path: string, body: unknown, options: QuilliumCallOptions<"text"> & {as: "text"},
  ): Promise<string>;
  /** Call the API and return the body as a `Blob`, for example to save an export. */
  call(
    method: string, path: string, body: unknown, options: QuilliumCallOptions<"blob"> & {as: "blob"},
  ): Promise<Blob>;
  /** Call the API and return the response with an unread body, for example to stream it. */
  call(
    method: string, path: string, body: unknown,
    options: QuilliumCallOptions<"response"> & {as: "response"},
  ): Promise<Response>;

  /**
   * Send a message, exactly once and in order. Resolves to the stored message. While offline, the
   * message waits in the outbox. Rejects if it can't be stored, for example in a deleted chat.
   *
   * @param chatId Id of the chat, or the id that `begin` returned.
   */
  say(chatId: string, content: string, options?: QuilliumSayOptions): Promise<QuilliumMessage>;
  /**
   * Create a chat with its first message, also while offline.
   *
   * @param chat Properties of the chat, as in `POST /chats`, such as `{model}`.
   * @returns A local id, which `say` accepts at once, and a promise for the stored message.
   */
  begin(
    content: string, chat?: Record<string, unknown>, options?: QuilliumSayOptions,
  ): {id: string; stored: Promise<QuilliumMessage>};
  /** Upload a file of up to 20 MiB, for `say` or `begin`, which also upload files by themselves. */
  upload(file: Blob, options?: QuilliumUploadOptions): Promise<QuilliumFile>;
  /** Return the server's id for a local id, once the chat exists; otherwise return `id`. */
  chatId(id: string): string;
  /** Wait until the outbox is loaded and stored in the browser. The tab can then be closed. */
  persisted(): Promise<void>;
  /** Show the user's other devices that the user is typing. Ignored while offline. */
  typing(chatId: string, isTyping?: boolean): void;
  /** Mark a chat as read: up to `messageId`, or completely. Ignored while offline. */
  read(chatId: string, messageId?: string): void;

  /** Open the WebSocket and keep it open. Retries at once if the connection is being retried. */
  connect(): void;
  /** Close the WebSocket. */
  disconnect(): void;
  /** Close the WebSocket and stop all activity. Unsent messages stay stored. */
  destroy(): void;

  addEventListener<Type extends keyof QuilliumEvents>(
    type: Type, listener: (event: CustomEvent<QuilliumEvents[Type]>) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof QuilliumEvents>(
    type: Type, listener: (event: CustomEvent<QuilliumEvents[Type]>) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
}
