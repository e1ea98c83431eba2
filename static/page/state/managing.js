/** What is done with several chats at once: archive, restore, export and delete them. */

import {add, forget} from "./chats.js";
import {quillium} from "./client.js";
import {saveAs} from "./saving.js";

const PAGE = 100;

/** The first chats of the list or of the archive, newest first. @returns {Promise<{chats, total}>} */
export async function list({isArchive, count = PAGE}) {
  const chats = [];
  for (;;) {
    const path = `/chats?archived=${isArchive}&limit=${PAGE}&offset=${chats.length}`;
    const {data, pagination} = await quillium.call("GET", path);
    chats.push(...data);
    if (chats.length >= count || !pagination.next) return {chats, total: pagination.total};
  }
}

export async function archive(ids, isArchived) {
  for (const id of ids) add(await quillium.call("PATCH", `/chats/${id}`, {is_archived: isArchived}));
}

export async function removeAll(ids) {
  for (let from = 0; from < ids.length; from += PAGE) {
    const some = ids.slice(from, from + PAGE);
    await quillium.call("POST", "/chats/delete", {ids: some});
    some.forEach(forget);
  }
}

/** Download chats as a file with one export in a line. @param {string[] | null} ids null for all chats */
export async function saveAll(ids) {
  const parts = ids === null ? [await quillium.call("GET", "/chats/export", undefined, {as: "blob"})] : [];
  for (const id of ids ?? []) {
    parts.push(await quillium.call("GET", `/chats/${id}/export?format=json`, undefined, {as: "text"}), "\n");
  }
  saveAs(new Blob(parts, {type: "application/x-ndjson"}), "quillium-chats.ndjson");
}
