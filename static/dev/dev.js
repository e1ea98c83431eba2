/** The page of the test backend: its state, faults, clock, replies and journal, live. */

const FAULTS = [
  ["The API is down (503)", {match: {}, respond: {code: "storage_unavailable"}}],
  ["Every request takes 2 s", {match: {}, respond: {latency_ms: 2000}}],
  ["Sending a message fails", {match: {method: "POST", path: "/chats/{id}/messages"}, respond: {code: "internal_error"}}],
  ["Rate limited for 5 s", {match: {}, respond: {code: "rate_limited", retry_after: 5}}],
  ["The session has ended", {match: {}, respond: {code: "invalid_token"}}],
  ["Streams break after 3 events", {match: {method: "POST", path: "/chats/{id}/messages"}, respond: {cut_after_events: 3}}],
  ["Sockets break after 5 frames", {match: {path: "/ws"}, respond: {cut_after_events: 5}}],
  ["Sockets can’t be opened", {match: {path: "/ws"}, respond: {drop: true}}],
  ["Sockets are half-open", {match: {path: "/ws"}, respond: {is_half_open: true}}],
  ["Sockets get every frame twice", {match: {path: "/ws"}, respond: {repeat: true}}],
  ["Clients have to list everything again", {match: {path: "/ws"}, respond: {send_error: "resync_required"}}],
];
const LIVE_MS = 1_000;
const NOTICE_MS = 4_000;
const ROWS = 200; // of the journal

const $ = id => document.getElementById(id);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const pretty = value => JSON.stringify(value, null, 2);
let rules = [];
let isFrozen = false;
let noticeTimer = 0;

async function call(method, path, body) {
  const headers = body === undefined ? {} : {"Content-Type": "application/json"};
  const response = await fetch(`api/v1/dev/${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error(answer.error.details);
  return answer;
}

function notify(text, isError = false) {
  $("notice").textContent = text;
  $("notice").className = isError ? "is-error" : "";
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").textContent = ""), NOTICE_MS);
}

/** Do what a button says; an error is shown, and the page goes on. */
function onClick(button, work) {
  button.addEventListener("click", async () => {
    try {
      notify((await work()) ?? "Done.");
      await refresh();
    } catch (error) {
      notify(error.message, true);
    }
  });
}

async function copy(text) {
  await navigator.clipboard.writeText(text);
  return "Copied.";
}

function parsed(field) {
  try {
    return JSON.parse($(field).value);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
}

// Faults are rules that are switched on and off with a click.

const fields = FAULTS.map(([label, rule]) => {
  const field = document.createElement("input");
  field.type = "checkbox";
  field.addEventListener("change", async () => {
    const others = rules.filter(other => !same(other, rule));
    try {
      await call("PUT", "rules", {rules: field.checked ? [...others, rule] : others});
      await showRules();
    } catch (error) {
      notify(error.message, true);
    }
  });
  const item = document.createElement("li");
  item.append(document.createElement("label"));
  item.firstChild.append(field, label);
  $("faults").append(item);
  return field;
});

async function showRules() {
  rules = (await call("GET", "rules")).rules.map(({match, respond}) => ({match, respond}));
  FAULTS.forEach(([, rule], number) => (fields[number].checked = rules.some(other => same(other, rule))));
  $("rules").value = pretty(rules);
}

const showReplies = async () => ($("replies").value = pretty((await call("GET", "replies")).replies));

// What is live

function row({at, kind, method, path, query, status, user_id: user, body}) {
  const what = kind === "request" ? `${method} ${path}${query ? `?${query}` : ""}` : `frame ${kind}`;
  const line = document.createElement("tr");
  for (const text of [at.slice(11, 23), what, status ?? "", user ?? "", body === null ? "" : JSON.stringify(body)]) {
    line.insertCell().textContent = String(text).slice(0, 500);
  }
  if (status >= 400) line.className = "is-error";
  return line;
}

async function refresh() {
  const [state, journal, clock] = await Promise.all(["seed", "journal", "clock"].map(path => call("GET", path)));
  const chats = state.users.flatMap(user => user.chats ?? []);
  const messages = chats.reduce((sum, chat) => sum + (chat.messages?.length ?? 0), 0);
  const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  $("state").textContent =
    [counted(state.users.length, "user"), counted(chats.length, "chat"), counted(messages, "message")].join(", ");
  $("journal").replaceChildren(...journal.entries.slice(-ROWS).reverse().map(row));
  $("now").textContent = clock.now + (clock.is_frozen ? ", frozen" : "");
  isFrozen = clock.is_frozen;
  $("freeze").textContent = isFrozen ? "Let it run" : "Freeze";
}

async function live() {
  try {
    if (!document.hidden) await refresh();
  } catch (error) {
    $("state").textContent = `The server can’t be reached: ${error.message}`;
  }
  setTimeout(live, LIVE_MS);
}

onClick($("reset"), async () => {
  await call("POST", "reset");
  await Promise.all([showRules(), showReplies()]);
});
onClick($("copy-state"), async () => copy(pretty(await call("GET", "seed"))));
for (const button of document.querySelectorAll("[data-clock]")) {
  onClick(button, async () => void (await call("PUT", "clock", JSON.parse(button.dataset.clock))));
}
onClick($("freeze"), async () => void (await call("PUT", "clock", {is_frozen: !isFrozen})));
for (const [name, show] of [["rules", showRules], ["replies", showReplies]]) {
  onClick($(`set-${name}`), async () => {
    await call("PUT", name, {[name]: parsed(name)});
    await show();
  });
  onClick($(`copy-${name}`), () => {
    const listed = parsed(name).map(one => JSON.stringify(one));
    return copy(`await server.${name}(${listed.join(", ")});`);
  });
}
onClick($("clear-journal"), async () => void (await call("DELETE", "journal")));
onClick($("copy-journal"), async () => copy(pretty(await call("GET", "journal"))));

await Promise.all([showRules(), showReplies()]).catch(error => notify(error.message, true));
live();
