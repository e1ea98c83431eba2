/** Importing chats from files: exports of Quillium and of other products. */

import {signal} from "../../vendor/signals.js";
import {add} from "./chats.js";
import {quillium} from "./client.js";
import {QuilliumError} from "../../quillium.js";

const LARGE = 1 << 20; // characters of a document whose import reports its progress
/** Errors of one chat; any other one ends the import. */
const OF_ONE_CHAT = new Set(["invalid_request", "payload_too_large", "conflict"]);

/** What is being imported: {number, total, share}; null if nothing is. */
export const progress = signal(null);
/** What the last import did; null before. @type {Signal<{chats, present, skipped: {title, reason}[], leftOut} | null>} */
export const summary = signal(null);
let isCancelled = false;

export const cancel = () => (isCancelled = true);

/**
 * Make chats of files that were exported together. What was imported before an error stays, and is
 * in the `summary`. Again, it imports the rest.
 *
 * @param {File[]} files
 * @returns {Promise<boolean>} whether they are in a known format
 */
export async function bring(files) {
  const {chatsOf, UnknownFormat} = await import("../../converters.js");
  const result = {chats: [], present: 0, skipped: [], leftOut: 0};
  [summary.value, isCancelled] = [null, false];
  progress.value = {number: 0, total: 0, share: 0};
  try {
    for await (const {title, document, leftOut, number, total} of chatsOf(files)) {
      if (isCancelled) break;
      progress.value = {number, total, share: (number - 1) / total};
      try {
        const tell = share => (progress.value = {number, total, share: (number - 1 + share) / total});
        const {chat, isNew} = await importDocument(document, tell);
        if (isNew) [result.chats, result.leftOut] = [[...result.chats, chat], result.leftOut + leftOut];
        else result.present += 1;
      } catch (error) {
        if (!OF_ONE_CHAT.has(error.code)) throw error;
        result.skipped.push({title, reason: error.details || error.message});
      }
    }
  } catch (error) {
    if (error instanceof UnknownFormat) return false;
    throw error;
  } finally {
    progress.value = null;
    if (result.chats.length + result.present + result.skipped.length) summary.value = result;
  }
  return true;
}

/** Make a chat of one document. @returns {Promise<{chat, isNew: boolean}>} */
export async function importDocument(document, tell = () => {}) {
  const uploaded = new Map();
  let isNew = false;
  try {
    const body = await withUploadedFiles(document, uploaded);
    const isLarge = JSON.stringify(body).length > LARGE;
    const imported = await (isLarge ? store(body, tell) : storeAtOnce(body));
    isNew = imported.isNew;
    if (isNew) add(imported.chat);
    return imported;
  } finally {
    // Otherwise the server deletes them, a day later.
    if (!isNew) for (const {id} of uploaded.values()) quillium.call("DELETE", `/files/${id}`).catch(() => {});
  }
}

async function storeAtOnce(body) {
  const response = await quillium.call("POST", "/chats/import", body, {as: "response"});
  return {chat: await response.json(), isNew: response.status === 201};
}

/** Import a large chat, and tell the share that is stored, from 0 to 1. One that was there before tells none. */
async function store(body, tell) {
  const headers = {Accept: "text/event-stream"};
  const response = await quillium.call("POST", "/chats/import", body, {as: "response", headers});
  let isNew = false;
  for await (const {name, data} of events(response)) {
    if (name === "error") throw new QuilliumError(data.error);
    if (name === "chat") return {chat: data, isNew};
    isNew = true;
    tell(data.share);
  }
  throw new QuilliumError({code: "offline", message: "No response", details: "The response broke off."});
}

/** Upload the files of an export apart, because an import is smaller than they may be. */
async function withUploadedFiles({files = [], ...body}, uploaded) {
  for (const {id, name, content} of files) {
    const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    uploaded.set(id, await quillium.upload(new Blob([bytes]), {name}));
  }
  if (!uploaded.size) return body;
  const attached = ({attachments = [], ...message}) =>
    ({...message, attachments: attachments.map(file => uploaded.get(file.id ?? file) ?? file)});
  return {...body, messages: body.messages.map(attached)};
}

/** The Server-Sent Events of a response; their data is JSON. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(part);
      yield {name, data: JSON.parse(data)};
    }
  }
}
