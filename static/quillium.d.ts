/**
 * Types of `quillium.js`. All names begin with `Quillium`, so that they stand beside types that are
 * generated from the API's OpenAPI document.
 */

/** An error of the API. `code` is "offline" when there was no response, "destroyed" after `destroy`. */
export class QuilliumError extends Error {
  constructor(
    error: {code: string; message?: string; details?: string}, status?: number, retryAfter?: number,
  );
  readonly name: "QuilliumError";
  readonly code: string;
  /** Status of HTTP; 0 where there was none. */
  readonly status: number;
  /** Seconds. */
  readonly retryAfter: number;
}

export interface QuilliumTokens {
  access_token: string;
  refresh_token?: string;
  /** Seconds until the access token expires. */
  expires_in?: number;
}

export interface QuilliumUser {
  id: string;
  email: string;
  name: string;
  is_admin: boolean;
  created_at: string;
  [field: string]: unknown;
}

export interface QuilliumMessage {
  id: string;
  chat_id: string;
  content: string;
  sender: "user" | "assistant";
  timestamp: string;
  status: "complete" | "streaming" | "stopped" | "interrupted" | "failed";
  model: string | null;
  client_id: string | null;
  error?: {code: string; message: string; details: string} | null;
  [field: string]: unknown;
}

export interface QuilliumChat {
  id: string;
  title: string;
  model: string;
  created_at: string;
  updated_at: string;
  message_count: number;
  unread_count: number;
  last_message: QuilliumMessage | null;
  [field: string]: unknown;
}

/** A message that the server has not acknowledged. */
export interface QuilliumUnsentMessage {
  chat_id: string;
  content: string;
  client_id: string;
  timestamp: string;
}

/** A chat that the server does not have yet. */
export interface QuilliumUnsentChat {
  id: string;
  timestamp: string;
  [field: string]: unknown;
}

/** `detail` of each event. */
export interface QuilliumEvents {
  message: QuilliumMessage;
  read: {chat_id: string; message_id?: string; sender: "user" | "assistant"; unread_count?: number};
  chat: QuilliumChat & {deleted?: false} | {id: string; deleted: true};
  typing: {
    chat_id: string; sender: "user" | "assistant"; is_typing: boolean; timestamp: string;
    message_id?: string; delta?: string; offset?: number;
    reasoning_delta?: string; reasoning_offset?: number;
  };
  /** A reply that is being written, and what has been written so far. */
  reply: {chat_id: string; message_id: string; text: string; reasoning: string};
  status: "offline" | "connecting" | "online";
  /** Whether somebody is signed in. */
  session: boolean;
  /** Seconds that a rate limit costs. */
  waiting: number;
  outbox: QuilliumUnsentMessage[];
  /** What `begin` asked for was created; `local_id` is the id that it gave. */
  created: {local_id: string; chat: QuilliumChat};
  /** What was said and can't be stored. */
  refused: {chat_id: string; content: string; error: QuilliumError};
  /** `resync` failed; it is called again with the next connection. */
  unlisted: unknown;
  /** An error frame that answers nothing that was said. */
  problem: QuilliumError;
}

/** What `localStorage` and `sessionStorage` are; any other storage of strings will do. */
export interface QuilliumStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface QuilliumOptions {
  /** Address of the API; "/api/v1" of the page's own server by default. */
  base?: string;
  /** Lists again what is shown. Frames wait until what it returns has resolved. */
  resync?: () => unknown;
  /** Under which tokens and messages are kept; one for each server. */
  name?: string;
  /** Of the tokens; `localStorage` by default, and the memory where there is none. */
  storage?: QuilliumStorage;
  /** Sent with each request. */
  headers?: Record<string, string> | (() => Record<string, string>);
  fetch?: typeof globalThis.fetch;
  /** For Node before 22, which has none. */
  WebSocket?: new (url: string) => unknown;
}

export interface QuilliumCallOptions<As extends "json" | "text" | "blob" | "response" = "json"> {
  signal?: AbortSignal;
  /** Whether the request outlives the page. */
  keepalive?: boolean;
  headers?: Record<string, string>;
  /** Milliseconds until a response must have begun. */
  timeout?: number;
  as?: As;
}

/** An `EventTarget`, with `QuilliumEvents` alone. */
export class Quillium {
  constructor(options?: QuilliumOptions);

  readonly isSignedIn: boolean;
  /** Id of the user who is signed in. */
  readonly account: string | null;
  /** Whether the server ended the last session. */
  readonly hasEnded: boolean;
  readonly outbox: QuilliumUnsentMessage[];
  readonly newChats: QuilliumUnsentChat[];

  /** `setupCode`: what the server printed at its start, for the first account of a network. */
  register(email: string, password: string, name?: string, setupCode?: string): Promise<QuilliumUser>;
  login(email: string, password: string): Promise<void>;
  useTokens(tokens: QuilliumTokens): Promise<void>;
  logout(options?: {everywhere?: boolean}): Promise<void>;

  /** The response's JSON as `Body`, which may be a generated type; null where there is none. */
  call<Body = any>(
    method: string, path: string, body?: unknown, options?: QuilliumCallOptions<"json">,
  ): Promise<Body>;
  call(
    method: string, path: string, body: unknown, options: QuilliumCallOptions<"text"> & {as: "text"},
  ): Promise<string>;
  call(
    method: string, path: string, body: unknown, options: QuilliumCallOptions<"blob"> & {as: "blob"},
  ): Promise<Blob>;
  call(
    method: string, path: string, body: unknown,
    options: QuilliumCallOptions<"response"> & {as: "response"},
  ): Promise<Response>;

  say(chatId: string, content: string): Promise<QuilliumMessage>;
  begin(content: string, chat?: Record<string, unknown>): {id: string; stored: Promise<QuilliumMessage>};
  chatId(id: string): string;
  persisted(): Promise<void>;
  typing(chatId: string, isTyping?: boolean): void;
  read(chatId: string, messageId?: string): void;

  connect(): void;
  disconnect(): void;
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
