/** A small chat on the client module: the front end that tests/browser/test_example.py tests. */

import {Quillium} from "./quillium.js";

const find = selector => document.querySelector(selector);
const base = new URLSearchParams(location.search).get("api");
const quillium = new Quillium({base, resync: reload});

let chats = new Map();
let next = null; // link to the next page of chats
let open = null; // id of the chat that is shown
let messages = new Map();
const replies = new Map(); // text of the replies that are being written, by message id

const report = error => (find("[role=alert]").textContent = `${error.code}: ${error.message}`);
const on = (selector, type, act) => find(selector).addEventListener(type, async event => {
  event.preventDefault();
  find("[role=alert]").textContent = "";
  await Promise.resolve(act(event)).catch(report);
});

// Lists

async function reload() {
  await list();
  if (open !== null) await show(open);
}

async function list() {
  const query = find("#search").value;
  const page = await quillium.call("GET", `/chats?limit=5${query && `&q=${encodeURIComponent(query)}`}`);
  chats = new Map(page.data.map(chat => [chat.id, chat]));
  next = page.pagination.next;
  drawChats();
}

async function show(id) {
  const page = await quillium.call("GET", `/chats/${id}/messages?limit=100`);
  open = id;
  messages = new Map(page.data.map(message => [message.id, message]));
  quillium.read(id);
  draw();
}

/** Show a chat before all others. */
function put(chat) {
  chats.delete(chat.id);
  chats = new Map([[chat.id, chat], ...chats]);
}

// Drawing

function drawChats() {
  find("#chats").replaceChildren(...[...chats.values()].map(chat => {
    const item = document.createElement("li");
    const button = item.appendChild(document.createElement("button"));
    button.textContent = chat.unread_count ? `${chat.title} (${chat.unread_count})` : chat.title;
    button.onclick = () => show(chat.id).catch(report);
    return item;
  }));
  find("#more").hidden = next === null;
  find("h1").textContent = chats.get(open)?.title ?? "New chat";
}

function draw() {
  drawChats();
  const unsent = quillium.outbox.filter(message => message.chat_id === open);
  find("#messages").replaceChildren(...[...messages.values()].map(drawn), ...unsent.map(message => {
    const item = document.createElement("li");
    item.textContent = message.content;
    item.className = "unsent";
    return item;
  }));
}

function drawn(message) {
  const item = document.createElement("li");
  item.className = `${message.sender} ${message.status}`;
  item.append(replies.get(message.id) ?? message.content);
  for (const file of message.attachments ?? []) item.append(` [${file.name}]`);
  if (message.error) item.append(` (${message.error.code})`);
  if (message.version_count > 1) {
    item.append(` ${message.version}/${message.version_count} `, button("Other version", () => turn(message)));
  }
  if (message.sender === "user") item.append(" ", button("Edit", () => edit(message)));
  return item;
}

function button(name, act) {
  const made = document.createElement("button");
  made.textContent = name;
  made.onclick = () => act().catch(report);
  return made;
}

// Actions

async function edit({id, content}) {
  const changed = prompt("Message", content);
  if (changed === null) return;
  await quillium.call("POST", `/chats/${open}/messages`, {content: changed, replaces: id});
  await show(open);
}

async function turn({id}) {
  const {data} = await quillium.call("GET", `/chats/${open}/messages/${id}/versions`);
  const other = data.find(version => version.id !== id);
  await quillium.call("POST", `/chats/${open}/messages/${other.id}/select`);
  await show(open);
}

on("#entrance", "submit", async ({target, submitter}) => {
  const {email, password} = Object.fromEntries(new FormData(target));
  await quillium[submitter.name](email, password);
});
on("#logout", "click", () => quillium.logout());
on("#search", "input", list);
on("#more", "click", async () => {
  const page = await quillium.call("GET", next);
  for (const chat of page.data) chats.set(chat.id, chat);
  next = page.pagination.next;
  drawChats();
});
on("#composer", "submit", async ({target}) => {
  const {content} = target.elements;
  const file = target.elements.file.files[0];
  const options = {files: file ? [file] : []};
  const text = content.value;
  target.reset();
  if (open !== null) {
    await quillium.say(open, text, options);
    return;
  }
  const begun = quillium.begin(text, {}, options);
  open = begun.id;
  messages.clear();
  await begun.stored;
});
on("#composer", "input", () => open && quillium.typing(open));
on("#stop", "click", () => quillium.call("POST", `/chats/${open}/stop`));
on("#regenerate", "click", () => quillium.call("POST", `/chats/${open}/regenerate`));
on("#delete", "click", () => quillium.call("DELETE", `/chats/${open}`));

// Events

const listen = (type, act) => quillium.addEventListener(type, ({detail}) => act(detail));

listen("session", isSignedIn => {
  find("#entrance").hidden = isSignedIn;
  find("main").hidden = !isSignedIn;
  if (isSignedIn) quillium.connect();
  else open = null;
});
listen("status", status => (find("[role=status]").textContent = status));
listen("waiting", seconds => (find("[role=alert]").textContent = `Waiting ${seconds} s`));
listen("problem", report);
listen("refused", ({error}) => report(error));
listen("outbox", draw);
listen("created", ({local_id, chat}) => {
  if (open === local_id) open = chat.id;
  put(chat);
  draw();
});
listen("chat", chat => {
  if (chat.deleted) chats.delete(chat.id);
  else put(chat);
  if (chat.deleted && open === chat.id) open = null, messages.clear();
  draw();
});
listen("message", message => {
  replies.delete(message.id);
  if (message.chat_id !== open) {
    list().catch(report); // its unread_count has changed
    return;
  }
  if (message.version_count > 1) show(open).catch(report);
  else messages.set(message.id, message), draw();
});
listen("reply", ({chat_id, message_id, text}) => {
  if (chat_id !== open) return;
  replies.set(message_id, text);
  const known = messages.get(message_id) ?? {id: message_id, sender: "assistant"};
  messages.set(message_id, {...known, status: "streaming"});
  draw();
});
listen("typing", ({chat_id, sender, is_typing}) => {
  if (chat_id === open && sender === "user") find("#typing").textContent = is_typing ? "typing…" : "";
});

find("#entrance").hidden = quillium.isSignedIn;
find("main").hidden = !quillium.isSignedIn;
if (quillium.isSignedIn) quillium.connect();
