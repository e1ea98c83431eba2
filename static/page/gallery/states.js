/** All states of the page that have to be looked at. */

import {chat, CONVERSATIONS, messages, MODELS, page} from "./data.js";
import {fails, NEVER, Unreachable} from "./server.js";

const OFFLINE = fails(503, "storage_unavailable");
const HERONS = "chat_herons";

/** A chat that shows some messages. */
const shows = name => ({chat: HERONS, until: ".reply", server: {"GET /chats/{id}/messages": messages(CONVERSATIONS[name]())}});

/** A dialog over the conversation. */
const opens = dialog => ({
  chat: HERONS,
  act: async ({view, state, seen}) => {
    const found = state("chats").chatOf(HERONS);
    view("dialog").dialog.value = {...dialog, chat: found};
    await seen("dialog[open]");
  },
});

const settings = part => opens({name: "settings", part});

/** Type something into a field, as somebody would. */
function type(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", {bubbles: true}));
}

/**
 * Each with what differs from a signed-in user's empty chat; `until` is what has to be there before
 * `act` is called, and before the state counts as shown.
 *
 * @type {Record<string, {title: string, server?: object, storage?: object, isSignedOut?: boolean, chat?: string, until?: string, act?: Function}>}
 */
export const STATES = {
  first_run: {title: "First run", isSignedOut: true, server: {"GET /auth/registration": {is_open: true, is_first: true, needs_setup_code: true}}},
  sign_in: {title: "Sign in", isSignedOut: true, storage: {"quillium-known": "yes"}},
  sign_in_failed: {
    title: "Sign in failed", isSignedOut: true, storage: {"quillium-known": "yes"},
    server: {"POST /auth/login": fails(401, "invalid_credentials")},
    act: async ({seen}) => {
      type(await seen("input[type=email]"), "ada@example.com");
      type(await seen("input[type=password]"), "a wrong password");
      document.querySelector("form").requestSubmit();
      await seen(".form-error:not(:empty)");
    },
  },
  session_ended: {title: "Session ended", isSignedOut: true, storage: {quillium: JSON.stringify({has_ended: true})}},
  loading: {title: "Loading the page", until: "main", server: {"GET /users/me": NEVER}},
  welcome: {title: "Welcome"},
  empty: {title: "No chats", server: {"GET /chats": page([])}},
  no_model: {title: "No model", server: {"GET /models": page([])}},
  model_gone: {title: "Model gone", chat: HERONS, server: {"GET /models": page(MODELS.slice(1)), "GET /chats": page([chat(HERONS, "Herons", 0, {model: "gpt-3"})])}},
  loading_chat: {title: "Loading a chat", chat: HERONS, server: {"GET /chats/{id}/messages": NEVER}},
  load_failed: {title: "A chat could not be loaded", chat: HERONS, server: {"GET /chats/{id}/messages": fails(500, "internal_error", "req_1")}},
  conversation: {title: "Conversation", ...shows("markdown")},
  files: {title: "Files", ...shows("files")},
  reasoning: {title: "Reasoning", ...shows("reasoning")},
  slow: {title: "Waiting for a slow reply", ...shows("waiting")},
  streaming: {title: "Reply in progress", ...shows("streaming")},
  failed: {title: "Failed reply", ...shows("failed")},
  interrupted: {title: "Interrupted reply", ...shows("interrupted")},
  stopped: {title: "Stopped reply", ...shows("stopped")},
  cut_off: {title: "Reply cut off", ...shows("cut")},
  offline: {title: "Offline", ...offline(HERONS)},
  half_sent: {title: "Not sent yet", ...offline(HERONS, "Are you still there?")},
  rate_limited: {title: "Rate-limited", chat: HERONS, act: ({state}) => (state("session").limitedUntil.value = Date.now() + 60_000)},
  long: {title: "Long title and long word", ...shows("long"), chat: "chat_word"},
  right_to_left: {title: "Right to left", ...shows("rightToLeft"), chat: "chat_arabic"},
  searching: {title: "Search results", act: tools => search(tools, "garden")},
  nothing_found: {title: "Nothing found", act: tools => search(tools, "zebra")},
  menu: {
    title: "Menu", chat: HERONS,
    act: async ({seen}) => {
      (await seen("[id=main] [aria-haspopup=menu]")).click();
      await seen("[role=menuitem]");
    },
  },
  toasts: {
    title: "Toasts", chat: HERONS,
    act: ({state}) => {
      const {notify} = state("notices");
      notify("“Herons” deleted", {isLasting: true, action: {label: "Undo", run: () => {}}});
      notify("Can’t reach the server. Try again in a moment.", {isLasting: true, isError: true});
    },
  },
  palette: {title: "Command palette", ...opens({name: "palette"})},
  shortcuts: {title: "Keyboard shortcuts", ...opens({name: "shortcuts"})},
  rename: {title: "Rename", ...opens({name: "rename"})},
  instructions: {title: "Instructions", ...opens({name: "instructions"})},
  manage: {title: "Manage chats", ...opens({name: "manage"})},
  delete_message: {title: "Delete a message", ...opens({name: "delete_message", message: CONVERSATIONS.markdown()[0]})},
  settings_general: {title: "Settings: general", ...settings("general")},
  settings_account: {title: "Settings: account", ...settings("account")},
  settings_sessions: {title: "Settings: sessions", ...settings("sessions")},
  settings_keys: {title: "Settings: API keys", ...settings("keys")},
  settings_data: {title: "Settings: data", ...settings("data")},
  settings_models: {title: "Settings: models", ...settings("models")},
  settings_server: {title: "Settings: server", ...settings("server")},
  setting_failed: {
    title: "A setting could not be saved",
    ...settings("account"),
    server: {"PUT /users/me": OFFLINE},
    act: async tools => {
      await settings("account").act(tools);
      const field = await tools.seen("[role=tabpanel] input");
      type(field, "Countess");
      field.dispatchEvent(new Event("change", {bubbles: true}));
      await tools.seen("[role=tabpanel] .form-error");
    },
  },
};

/** A chat whose server can't be reached any more, with a message that waits for it. */
function offline(id, text) {
  return {
    chat: id,
    act: async ({state, seen}) => {
      await seen(".said");
      globalThis.WebSocket = Unreachable;
      const {quillium} = state("client");
      quillium.disconnect();
      quillium.connect();
      if (text) state("conversations").say(id, text, []);
      state("session").isAway.value = true;
    },
  };
}

/** Search the chats, which lie in a drawer where the view is narrow. */
async function search({view, state, seen}, text) {
  if (!document.querySelector("input[type=search]")) view("dialog").dialog.value = {name: "drawer"};
  await seen("input[type=search]");
  const {query, isSearching} = state("chats");
  query.value = text;
  while (isSearching.value) await new Promise(requestAnimationFrame);
}
