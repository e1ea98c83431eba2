/** What the pretended server of the gallery has stored. */

const DAY_MS = 86_400_000;
const at = daysAgo => new Date(Date.now() - daysAgo * DAY_MS).toISOString();

const LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3);
const MARKDOWN = `Herons stand **still** in shallow water and wait.

1. Choose a bank with reeds.
2. Look for a shape that doesn’t move.

| Bird | Height |
|---|---|
| Grey heron | 98 cm |
| Little egret | 60 cm |

\`\`\`python
def patience(minutes):
    return minutes * 60  # seconds
\`\`\`

> The bird waits longer than you do.

The distance is $d = \\sqrt{x^2 + y^2}$.`;

let number = 0;

function message(sender, content, more = {}) {
  number += 1;
  return {
    id: `msg_${number}`, chat_id: "chat_herons", content, sender, timestamp: at(0.01 - number / 100_000), status: "complete",
    model: sender === "assistant" ? "gemma3:4b" : null, client_id: null, parent_id: number > 1 ? `msg_${number - 1}` : null,
    version: 1, version_count: 1, reasoning: null, finish_reason: null, usage: null, attachments: [], ...more,
  };
}

const said = text => message("user", text);
const reply = (text, more) => message("assistant", text, {finish_reason: "stop", ...more});

export const page = (data, total = data.length) => ({data, pagination: {total, limit: 100, offset: 0, next: null, previous: null}});

/** The response with the messages of a chat, in the order that the page asks for. */
export const messages = stored => query => page(query.get("order") === "desc" ? stored.toReversed() : stored);

/** The messages of a chat that ends in one way or another. */
export const CONVERSATIONS = {
  markdown: () => [
    said("Where do herons stand?"),
    reply(MARKDOWN, {version: 2, version_count: 3, usage: {prompt_tokens: 12, completion_tokens: 140}}),
    said("Thanks!"),
    reply("You’re welcome."),
  ],
  streaming: () => [said("Tell me about herons"), reply("A heron is a long-legged bird that", {status: "streaming", finish_reason: null})],
  waiting: () => [said("Tell me about herons"), reply("", {status: "streaming", finish_reason: null})],
  reasoning: () => [said("How many herons?"), reply("Four.", {reasoning: "Two on the bank, two in the reeds."})],
  failed: () => [said("Tell me about herons"), reply("", {status: "failed", finish_reason: null, error: {code: "model_unavailable", message: "The model is not available.", details: ""}})],
  interrupted: () => [said("Tell me about herons"), reply("A heron is a", {status: "interrupted", finish_reason: null})],
  stopped: () => [said("Tell me about herons"), reply("A heron is a", {status: "stopped", finish_reason: null})],
  cut: () => [said("Tell me about herons"), reply("A heron is a", {finish_reason: "length"})],
  long: () => [said(LONG_WORD), reply(`${LONG_WORD} \`${LONG_WORD}\``)],
  rightToLeft: () => [said("أين تقف طيور البلشون؟"), reply("تقف طيور **البلشون** ساكنة في المياه الضحلة وتنتظر.\n\n- الضفة\n- القصب")],
  files: () => [{...said("What is in these files?"), attachments: [
    {id: "file_1", name: "measurements of the year.csv", content_type: "text/plain", size: 20_480, created_at: at(0)},
    {id: "file_2", name: "map.pdf", content_type: "application/pdf", size: 2_097_152, created_at: at(0)},
  ]}, reply("Heights of birds, and a map.")],
};

export function chat(id, title, daysAgo, more = {}) {
  const last = {...reply("You’re welcome."), chat_id: id};
  return {
    id, title, model: "gemma3:4b", created_at: at(daysAgo + 1), updated_at: at(daysAgo), message_count: 4, unread_count: 0,
    last_message: last, leaf_id: last.id, system_prompt: null, parameters: {}, is_pinned: false, is_archived: false, ...more,
  };
}

const CHATS = [
  chat("chat_pinned", "House rules", 3, {is_pinned: true}),
  chat("chat_herons", "Herons", 0),
  chat("chat_garden", "The garden in spring", 0.1, {unread_count: 2}),
  chat("chat_arabic", "طيور البلشون", 1),
  chat("chat_long", "A title that is so long that it can’t be shown in one line of the sidebar, however wide that is", 2),
  chat("chat_word", LONG_WORD, 9),
  chat("chat_old", "Plans", 70),
];

const found = words => CHATS.filter(({title}) => title.toLowerCase().includes(words)).map(one => (
  {...one, match: {message_id: "msg_1", snippet: `What grows in the \uE000${words}\uE001 that nobody planted there?`}}));

const KEY = {id: "key_1", name: "laptop", prefix: "qk_4fT9", created_at: at(20), last_used_at: at(1), expires_at: null};
const PROVIDER = {
  name: "OpenAI", base_url: "https://api.example.com/v1", api_key_set: true, models: ["*"], context_window: null, max_tokens: null,
  timeout_seconds: null, total_timeout_seconds: null, headers: {}, extra_body: {}, is_enabled: true,
};
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36";
const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1";
const session = (id, user_agent, daysAgo, is_current = false) =>
  ({id, user_agent, created_at: at(30), last_used_at: at(daysAgo), address: "192.0.2.7", is_current});

export const MODELS = [
  {id: "gemma3:4b", provider: "Ollama", is_default: true, is_discovered: true, context_window: 131_072},
  {id: "gpt-5", provider: "OpenAI", is_default: false},
  {id: "quillium-demo", provider: "built-in", is_default: false},
];

/** Responses by method and path, as `server.js` takes them. */
export const RESPONSES = {
  "GET /auth/registration": {is_open: true, is_first: false, needs_setup_code: false},
  "GET /users/me": {id: "user_ada", email: "ada@example.com", name: "Ada", is_admin: true, created_at: at(90), updated_at: at(90)},
  "GET /settings/user": {theme: "system", language: "en", notifications_enabled: false, default_model: null, presets: [{name: "Short answers", model: null, system_prompt: "Be brief.", parameters: {}}], shared_presets: [], updated_at: at(9)},
  "GET /settings/admin": {allow_registration: true, default_model: null, system_prompt: "Be kind.", rate_limit_per_minute: 100, storage_per_user_mib: 1024, titles_by_model: false, providers: [PROVIDER], presets: [], updated_at: at(9)},
  "GET /models": page(MODELS),
  "GET /chats": query => page(query.get("q") ? found(query.get("q")) : CHATS),
  "GET /chats/{id}": CHATS[1],
  "GET /chats/{id}/messages": messages(CONVERSATIONS.markdown()),
  "GET /users/api-key": page([KEY]),
  "GET /auth/sessions": page([session("sess_1", CHROME, 0, true), session("sess_2", PHONE, 2)]),
};
