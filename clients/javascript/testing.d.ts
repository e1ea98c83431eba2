/** A rule of `PUT /dev/rules`; docs/testing.md describes its fields. */
export interface QuilliumRule {
  match: {method?: string; path?: string; user?: string; frame?: string; nth?: number; times?: number};
  respond: {
    latency_ms?: number; status?: number; code?: string; retry_after?: number; drop?: boolean;
    cut_after_events?: number; close_code?: number; send_error?: string; repeat?: boolean;
    is_half_open?: boolean;
  };
}

/** A reply of `PUT /dev/replies`; docs/testing.md describes its fields. */
export interface QuilliumScript {
  match: {content?: string; pattern?: string; model?: string};
  reply: {
    text?: string; chunks?: string[]; reasoning?: string; tokens_per_second?: number;
    first_after_ms?: number; finish_reason?: string; error?: string;
    tool_calls?: {name: string; arguments: string}[];
    usage?: {prompt_tokens: number; completion_tokens: number};
  };
}

/** An entry of the journal: a request, or a frame of a WebSocket. */
export interface QuilliumEntry {
  at: string;
  kind: "request" | "received" | "sent";
  user_id: string | null;
  body: unknown;
  method?: string;
  path?: string;
  query?: string;
  status?: number;
}

export interface QuilliumServer {
  /** Such as `http://127.0.0.1:46743`. */
  readonly url: string;
  /** The base of the API, such as `http://127.0.0.1:46743/api/v1`. */
  readonly base: string;
  /** A link that opens Quillium's own page signed in, once. */
  readonly pageUrl: string;
  /** Go back to the seed. */
  reset(): Promise<void>;
  /** Add users, chats and settings to the present state. */
  seed(seed: object): Promise<void>;
  /** Simulate failures from now on; without arguments, none. */
  rules(...rules: QuilliumRule[]): Promise<unknown>;
  /** Reply exactly so from now on; without arguments, as usual. */
  replies(...replies: QuilliumScript[]): Promise<unknown>;
  /** Move the server's clock. */
  clock(change: {now?: string; is_frozen?: boolean; advance_seconds?: number}): Promise<unknown>;
  /** The last requests and frames, oldest first. */
  journal(): Promise<QuilliumEntry[]>;
  /** Stop the server, and wait for its end. */
  stop(): Promise<void>;
}

/** Start a server on a free port. It ends with this process. */
export function startQuillium(options?: {
  /** The program and its first arguments; by default `quillium`. */
  command?: string[];
  /** The state to start from, and to reset to. */
  seed?: object;
  /** More flags, such as `--deterministic`. */
  flags?: string[];
  cwd?: string;
}): Promise<QuilliumServer>;
