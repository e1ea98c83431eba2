/** Importing a chat from a file. */

import {add} from "./chats.js";
import {quillium} from "./client.js";
import {QuilliumError} from "../../quillium.js";

/**
 * Make a chat of a file that was exported as JSON.
 *
 * @param {Blob} file
 * @param {(share: number) => void} [tell] called with the share that is stored, from 0 to 1
 */
export async function bring(file, tell = () => {}) {
  const body = await withUploadedFiles(JSON.parse(await file.text()));
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
