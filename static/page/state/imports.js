/** Importing chats from a file. */

import {add} from "./chats.js";
import {quillium} from "./client.js";
import {QuilliumError} from "../../quillium.js";

/**
 * Make chats of a file that was exported as JSON, or of one with an export in each line; the last chat.
 *
 * @param {Blob} file
 * @param {(share: number) => void} [tell] called with the share that is stored, from 0 to 1
 */
export async function bring(file, tell = () => {}) {
  const documents = parsed(await file.text());
  let chat;
  for (const [place, body] of documents.entries()) {
    chat = await bringOne(body, share => tell((place + share) / documents.length));
  }
  return chat;
}

function parsed(text) {
  try {
    return [JSON.parse(text)];
  } catch (error) {
    const lines = text.split("\n").filter(line => line.trim());
    if (lines.length < 2) throw error;
    return lines.map(line => JSON.parse(line));
  }
}

async function bringOne(document, tell) {
  const body = await withUploadedFiles(document);
  const headers = {Accept: "text/event-stream"};
  const response = await quillium.call("POST", "/chats/import", body, {as: "response", headers});
  for await (const {name, data} of events(response)) {
    if (name === "progress") tell(data.share);
    if (name === "error") throw new QuilliumError(data.error);
    if (name !== "chat") continue;
    add(data);
    return data;
  }
  throw new QuilliumError({code: "offline", message: "No response", details: "The response broke off."});
}

/** Upload the files of an export apart, because an import is smaller than they may be. */
async function withUploadedFiles({files = [], ...body}) {
  const uploaded = new Map();
  for (const {id, name, content} of files) {
    const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    uploaded.set(id, await quillium.upload(new Blob([bytes]), {name}));
  }
  if (!uploaded.size) return body;
  const attached = ({attachments = [], ...message}) =>
    ({...message, attachments: attachments.map(file => uploaded.get(file.id) ?? file)});
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
