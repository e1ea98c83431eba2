/**
 * Chats that other products exported, as documents for `POST /chats/import`.
 *
 * The format is recognised by its content. Branches are kept as versions. Each document has a
 * `client_id` that follows from the chat's own id, so that a repeated import stores nothing twice.
 *
 * - ChatGPT: `conversations.json`, also in several parts, or the whole ZIP with its images
 * - Claude: `conversations.json`, or the whole ZIP
 * - Open WebUI: chats exported as JSON, one or all
 * - LibreChat: a conversation exported as JSON
 */

/**
 * @typedef {object} Converted
 * @property {string} title
 * @property {object} document for `POST /chats/import`
 * @property {number} leftOut files and pictures that the export refers to and does not contain
 * @property {number} number of this chat, from 1
 * @property {number} total number of chats
 */

/** A file in none of the formats. */
export class UnknownFormat extends Error {}

/** No message can be longer than this. */
const MAX_CHARACTERS = 10_000_000;
const MAX_TITLE = 200;
const MAX_TITLE_OF_WORDS = 80;

/**
 * The chats of files that were exported together, one after the other.
 *
 * @param {File[]} files JSON, lines of JSON, or ZIP
 * @param {{model?: string}} [options] the model that replies from now on
 * @returns {AsyncGenerator<Converted>}
 * @throws {UnknownFormat} for a file without chats
 */
export async function* chatsOf(files, {model = "quillium-demo"} = {}) {
  const entries = [];
  for (const file of files) entries.push(...await entriesOf(file));
  const found = [];
  for (const entry of entries.filter(({name}) => /\.json$/i.test(name))) {
    for (const value of valuesOf(await entry.text())) {
      const convert = FORMATS.find(({isOf}) => isOf(value))?.convert;
      if (convert) found.push([convert, value]); // a ZIP has other files, too
    }
  }
  if (!found.length) throw new UnknownFormat(files.map(({name}) => name).join(", "));
  for (const [place, [convert, value]] of found.entries()) {
    yield {...await convert(value, {model, entries}), number: place + 1, total: found.length};
  }
}

// Reading

/** The files in a ZIP, or the file itself. */
async function entriesOf(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (start[0] === 0x50 && start[1] === 0x4b) return zipEntries(file);
  // What was chosen as a chat is read as one, whatever its name is.
  return [{name: `${file.name}.json`, text: () => file.text(), bytes: () => file.arrayBuffer()}];
}

const END_OF_DIRECTORY = 0x06054b50; // signatures of APPNOTE.TXT, sections 4.3.12 and 4.3.16
const DIRECTORY_ENTRY = 0x02014b50;

async function zipEntries(file) {
  const tail = new DataView(await file.slice(Math.max(0, file.size - 65_557)).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0) throw new UnknownFormat(file.name);
  const start = tail.getUint32(end + 16, true);
  const directory = new DataView(await file.slice(start, start + tail.getUint32(end + 12, true)).arrayBuffer());
  const entries = [];
  for (let at = 0; at + 46 <= directory.byteLength && directory.getUint32(at, true) === DIRECTORY_ENTRY;) {
    const [nameLength, extra, comment] = [28, 30, 32].map(place => directory.getUint16(at + place, true));
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, nameLength));
    const place = directory.getUint32(at + 42, true);
    const [method, size] = [directory.getUint16(at + 10, true), directory.getUint32(at + 20, true)];
    const bytes = () => unpacked(file, place, size, method);
    entries.push({name, bytes, text: async () => new TextDecoder().decode(await bytes())});
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

async function unpacked(file, place, size, method) {
  const header = new DataView(await file.slice(place, place + 30).arrayBuffer());
  const start = place + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const packed = file.slice(start, start + size);
  if (method === 0) return packed.arrayBuffer();
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();
}

/** The chats in a text: one value, a list of them, or one in each line. A text of another form has none. */
function valuesOf(text) {
  const parsed = texts => texts.map(one => JSON.parse(one)).flat();
  try {
    return parsed([text]);
  } catch {
    try {
      return parsed(text.split("\n").filter(line => line.trim()));
    } catch {
      return [];
    }
  }
}

// The formats

const FORMATS = [
  {isOf: value => value?.format === "quillium-chat", convert: ownChat},
  {isOf: value => isObject(value?.mapping), convert: fromChatGPT},
  {isOf: value => Array.isArray(value?.chat_messages), convert: fromClaude},
  {isOf: value => isObject(value?.chat?.history?.messages), convert: fromOpenWebUI},
  {isOf: value => value?.conversationId && Array.isArray(value.messages), convert: fromLibreChat},
];

const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);

/** An export of Quillium. Of several, and of one that is imported again, no chat is stored twice. */
function ownChat(document) {
  const {id, ...chat} = document.chat ?? {};
  const clientId = typeof id === "string" && id ? {client_id: idOf(`export-${id}`)} : {};
  return {title: String(chat.title ?? ""), document: {...document, chat: {...clientId, ...chat}}, leftOut: 0};
}

async function fromChatGPT(chat, {model, entries}) {
  const nodes = Object.values(chat.mapping).map(({id, parent, children = [], message}) =>
    ({id, parent, children, ...(message ? partsOfChatGPT(message) : {})}));
  const pictures = new Pictures(entries);
  for (const node of nodes) node.attachments = await pictures.of(node.pictures ?? []);
  return {
    ...documentOf({
      clientId: `chatgpt-${chat.conversation_id ?? chat.id}`,
      title: chat.title,
      model,
      created: secondsToTime(chat.create_time),
      updated: secondsToTime(chat.update_time),
      isArchived: chat.is_archived === true,
      isPinned: chat.is_starred === true,
      nodes,
      leaf: chat.current_node,
      files: pictures.files,
    }),
    leftOut: pictures.missing,
  };
}

/** What a message of ChatGPT says. Steps with tools and what is hidden there say nothing. */
function partsOfChatGPT({author, content, create_time, metadata = {}, recipient = "all", weight = 1}) {
  const sender = author?.role;
  const thoughts = content?.thoughts?.map(({summary, content: text}) => [summary, text].filter(Boolean).join("\n"));
  if (thoughts) return {thoughts: thoughts.join("\n\n")};
  const isSaid = (sender === "user" || sender === "assistant") && recipient === "all" && weight !== 0;
  const isText = ["text", "multimodal_text", "code"].includes(content?.content_type);
  if (!isSaid || !isText || metadata.is_visually_hidden_from_conversation) return {};
  const parts = content.parts ?? [content.text];
  const words = parts.map(part => (typeof part === "string" ? part : part?.text)).filter(Boolean);
  const pictures = parts.map(part => part?.asset_pointer).filter(Boolean);
  return {
    sender,
    text: words.join("\n\n").replaceAll(/\uE200[^\uE201]*\uE201/g, ""), // references to search results
    time: secondsToTime(create_time),
    model: metadata.model_slug,
    pictures,
  };
}

/** The pictures of an export by the ids that messages have, such as `file-service://file-AbC`. */
class Pictures {
  files = [];
  missing = 0;
  #entries;

  constructor(entries) {
    this.#entries = entries;
  }

  async of(pointers) {
    const attachments = [];
    for (const pointer of pointers) {
      const id = String(pointer).replace(/^[a-z-]+:\/\//, "");
      const entry = this.#entries.find(({name}) => name.split("/").at(-1).startsWith(id));
      if (entry) {
        const content = base64(new Uint8Array(await entry.bytes()));
        this.files.push({id: idOf(id), name: entry.name.split("/").at(-1), content});
        attachments.push(idOf(id));
      } else {
        this.missing += 1;
      }
    }
    return attachments;
  }
}

async function fromClaude(chat, {model}) {
  const files = [];
  let missing = 0;
  const nodes = chat.chat_messages.map((message, place, all) => {
    const {uuid, sender, text, content = [], created_at, attachments = []} = message;
    const has = type => content.filter(part => part.type === type);
    const attached = attachments.filter(file => file.extracted_content);
    missing += attachments.length - attached.length + (message.files ?? []).length;
    for (const [number, file] of attached.entries()) {
      const bytes = new TextEncoder().encode(wellFormed(file.extracted_content));
      files.push({id: idOf(`${uuid}-${number}`), name: file.file_name || "text.txt", content: base64(bytes)});
    }
    const isRoot = /^0{8}-0{4}-4/.test(message.parent_message_uuid ?? "");
    return {
      id: uuid,
      parent: "parent_message_uuid" in message ? (isRoot ? null : message.parent_message_uuid) : all[place - 1]?.uuid,
      sender: {human: "user", assistant: "assistant"}[sender],
      text: has("text").map(part => part.text).join("\n\n") || text,
      reasoning: has("thinking").map(part => part.thinking).join("\n\n"),
      time: created_at,
      attachments: attached.map((_, number) => idOf(`${uuid}-${number}`)),
    };
  });
  return {
    ...documentOf({
      clientId: `claude-${chat.uuid}`,
      title: chat.name,
      model,
      created: chat.created_at,
      updated: chat.updated_at,
      isPinned: chat.is_starred === true,
      nodes,
      leaf: chat.current_leaf_message_uuid ?? nodes.at(-1)?.id,
      files,
    }),
    leftOut: missing,
  };
}

async function fromOpenWebUI({id, title, chat, created_at, updated_at, archived, pinned}, {model}) {
  let missing = 0;
  const nodes = Object.values(chat.history.messages).map(message => {
    const {text, reasoning} = withoutDetails(String(message.content ?? ""));
    missing += (message.files ?? []).length;
    return {
      id: message.id,
      parent: message.parentId,
      children: message.childrenIds,
      sender: message.role,
      text,
      reasoning,
      time: secondsToTime(message.timestamp),
      model: message.model,
    };
  });
  return {
    ...documentOf({
      clientId: `openwebui-${id ?? chat.id}`,
      title: title ?? chat.title,
      model,
      created: secondsToTime(created_at ?? chat.timestamp / 1000),
      updated: secondsToTime(updated_at ?? chat.timestamp / 1000),
      isArchived: archived === true,
      isPinned: pinned === true,
      systemPrompt: chat.system ?? chat.params?.system,
      nodes,
      leaf: chat.history.currentId,
    }),
    leftOut: missing,
  };
}

const DETAILS = /<details type="(?<type>\w+)"[^>]*>\s*(?:<summary>[^<]*<\/summary>)?(?<inner>[\s\S]*?)<\/details>\s*/g;

/** A text of Open WebUI without the reasoning and the tool calls that are in it as HTML. */
function withoutDetails(content) {
  const thoughts = [];
  const text = content.replaceAll(DETAILS, (...found) => {
    const {type, inner} = found.at(-1);
    if (type === "reasoning") thoughts.push(inner.trim().replaceAll(/^(?:&gt;|>) ?/gm, ""));
    return "";
  });
  return {text, reasoning: thoughts.join("\n\n")};
}

async function fromLibreChat({conversationId, title, options = {}, messages, exportAt}, {model}) {
  let missing = 0;
  const flat = list => list.flatMap(({children = [], ...message}) => [message, ...flat(children)]);
  const nodes = flat(messages).map((message, place, all) => {
    const parts = Array.isArray(message.content) ? message.content : [];
    const has = type => parts.filter(part => part.type === type).map(part => part[type]?.value ?? part[type]);
    missing += (message.files ?? []).length;
    return {
      id: message.messageId,
      parent: message.parentMessageId ?? all[place - 1]?.messageId,
      sender: message.isCreatedByUser ? "user" : "assistant",
      text: message.text || has("text").join("\n\n"),
      reasoning: has("think").join("\n\n"),
      time: message.createdAt ?? exportAt,
      model: message.model,
    };
  });
  return {
    ...documentOf({
      clientId: `librechat-${conversationId}`,
      title,
      model,
      created: nodes[0]?.time,
      updated: nodes.at(-1)?.time,
      systemPrompt: options.promptPrefix ?? options.system,
      nodes,
      leaf: nodes.at(-1)?.id,
    }),
    leftOut: missing,
  };
}

// The document

/**
 * @typedef {object} Node a message, or a step that says nothing
 * @property {string} id
 * @property {string | null} [parent]
 * @property {string[]} [children] the order of the versions that answer it
 * @property {"user" | "assistant"} [sender]
 * @property {string} [text]
 * @property {string} [reasoning]
 * @property {string} [thoughts] reasoning of a step of its own, before the message
 * @property {string} [time]
 * @property {string} [model]
 * @property {string[]} [attachments] ids of `files`
 */

/** @returns {{title: string, document: object}} */
function documentOf({clientId, title, model, created, updated, isPinned = false, isArchived = false, systemPrompt, nodes, leaf, files = []}) {
  const messages = messagesOf(nodes, leaf);
  const first = messages[0]?.timestamp;
  const opening = messages.find(({sender}) => sender === "user")?.content ?? "";
  const kept = new Set(messages.map(({id}) => id));
  const shownTitle = words(title, MAX_TITLE) || words(opening, MAX_TITLE_OF_WORDS) || "Chat";
  return {
    title: shownTitle,
    document: {
      format: "quillium-chat",
      version: 1,
      chat: {
        client_id: idOf(clientId),
        title: shownTitle,
        model,
        ...times({created_at: timeOf(created) ?? first, updated_at: timeOf(updated) ?? messages.at(-1)?.timestamp}),
        ...(systemPrompt ? {system_prompt: wellFormed(systemPrompt).slice(0, 20_000)} : {}),
        is_pinned: isPinned,
        is_archived: isArchived,
        leaf_id: nearest(nodes, leaf, kept) ?? messages.at(-1)?.id ?? null,
      },
      files,
      messages,
    },
  };
}

const times = found => Object.fromEntries(Object.entries(found).filter(([, time]) => time));

/** The messages that say something, each after the one that it answers. */
function messagesOf(nodes, leaf) {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const path = new Set(pathTo(byId, leaf));
  const roots = nodes.filter(({parent}) => !byId.has(parent));
  const below = new Map();
  for (const node of nodes) {
    if (byId.has(node.parent)) below.set(node.parent, [...(below.get(node.parent) ?? []), node]);
  }
  const messages = [];
  const seen = new Set();
  // Without recursion, because a chat may have thousands of messages.
  const open = roots.reverse().map(node => ({node, parent: null, thoughts: "", time: null}));
  while (open.length) {
    const {node, parent, thoughts, time} = open.pop();
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    const message = messageOf(node, parent, thoughts, time);
    if (message) messages.push(message);
    const order = new Map((node.children ?? []).map((id, place) => [id, place]));
    const children = (below.get(node.id) ?? []).sort((one, other) => (order.get(one.id) ?? 0) - (order.get(other.id) ?? 0));
    const next = {
      parent: message ? message.id : parent,
      thoughts: message ? "" : [thoughts, node.thoughts].filter(Boolean).join("\n\n"),
      time: message ? message.timestamp : time,
    };
    // The path that is shown comes last, so that it is the newest below each message.
    const shownLast = [...children.filter(({id}) => !path.has(id)), ...children.filter(({id}) => path.has(id))];
    open.push(...shownLast.reverse().map(child => ({node: child, ...next})));
  }
  return messages;
}

function messageOf({id, sender, text, reasoning, time, model, attachments = []}, parent, thoughts, lastTime) {
  const content = wellFormed(text ?? "").trim().slice(0, MAX_CHARACTERS);
  if ((sender !== "user" && sender !== "assistant") || (!content && !attachments.length)) return null;
  const thought = [thoughts, reasoning].filter(Boolean).join("\n\n");
  return {
    id: idOf(id),
    parent_id: parent,
    content: content || "…",
    sender,
    timestamp: timeOf(time) ?? lastTime ?? "1970-01-01T00:00:00.000Z",
    ...(sender === "assistant" && words(model, MAX_TITLE) ? {model: words(model, MAX_TITLE)} : {}),
    ...(sender === "assistant" && thought ? {reasoning: wellFormed(thought).slice(0, MAX_CHARACTERS)} : {}),
    ...(attachments.length ? {attachments: attachments.slice(0, 10)} : {}),
  };
}

/** The ids from a node up to its root. */
function* pathTo(byId, id) {
  const seen = new Set();
  for (let node = byId.get(id); node && !seen.has(node.id); node = byId.get(node.parent)) {
    seen.add(node.id);
    yield node.id;
  }
}

/** The id of the message that a node is, or of the one before it. */
function nearest(nodes, leaf, kept) {
  const byId = new Map(nodes.map(node => [node.id, node]));
  for (const id of pathTo(byId, leaf)) if (kept.has(idOf(id))) return idOf(id);
  return null;
}

// Values

/** An id in the characters that `client_id` may have. */
const idOf = id => String(id).replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);

const words = (text, most) => wellFormed(text ?? "").replaceAll(/\s+/g, " ").trim().slice(0, most).trim();

/** A text without what the API refuses: U+0000, and halves of surrogate pairs. */
const wellFormed = text => String(text).replaceAll("\0", "")
  .replaceAll(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");

const secondsToTime = seconds => (Number.isFinite(seconds) ? timeOf(seconds * 1000) : null);

/** A time as the API takes it; null for what is none. */
function timeOf(value) {
  const time = new Date(value ?? NaN);
  const isPlausible = time.getTime() >= 0 && time.getUTCFullYear() < 9000;
  return isPlausible ? time.toISOString() : null;
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}
