/** Files of messages: those that are chosen and not sent, upload progress, and what was sent. */

import {signal} from "../../vendor/signals.js";
import {on, quillium} from "./client.js";
import {scaled} from "./images.js";
import {notify} from "./notices.js";
import {t} from "./words.js";

const NEW = "new"; // stands for the id of a new chat, as for drafts
const MAX_FILES = 10;
const MAX_BYTES = 20 << 20;
const MAX_PICTURES = 50; // that are kept
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

const chosen = signal(new Map()); // files by chat id
const pictures = new Map(); // promises of data URLs, by file id

/** The upload that is in progress: the client id of its message, and the share that was sent. */
export const uploaded = signal({});

/** The files to send with the next message. @param {string | null} chatId null for a new chat */
export const filesOf = chatId => chosen.value.get(chatId ?? NEW) ?? [];

/** Choose files for the next message. Images are scaled down first. @param {Iterable<File>} files */
export async function attach(chatId, files) {
  for (const file of files) {
    const small = await inMemory(await scaled(file));
    const problem = small === null
      ? t("attach.unreadable", {name: file.name}) : problemOf(small, filesOf(chatId).length);
    if (problem) notify(problem, {isError: true});
    else put(chatId, [...filesOf(chatId), small]);
  }
}

/** A copy that stays as it is if the file changes; null for a folder, and what can't be read. */
async function inMemory(file) {
  if (file.size > MAX_BYTES) return file; // it is refused
  const bytes = await file.arrayBuffer().catch(() => null);
  return bytes && new File([bytes], file.name, {type: file.type});
}

function problemOf({name, size}, count) {
  if (count >= MAX_FILES) return t("attach.too_many");
  if (size > MAX_BYTES) return t("attach.too_large", {name});
  return size === 0 ? t("attach.empty", {name}) : null;
}

export const detach = (chatId, file) => put(chatId, filesOf(chatId).filter(other => other !== file));

/** Return the files of the next message, and forget them. */
export function takeFiles(chatId) {
  const files = filesOf(chatId);
  put(chatId, []);
  return files;
}

/** Put back the files of a message that could not be sent. */
export const giveBackFiles = (chatId, files) => put(chatId, [...files, ...filesOf(chatId)].slice(0, MAX_FILES));

function put(chatId, files) {
  const changed = new Map(chosen.value);
  if (files.length) changed.set(chatId ?? NEW, files);
  else changed.delete(chatId ?? NEW);
  chosen.value = changed;
}

/** Whether a file, uploaded or not, is an image that is shown. */
export const isPicture = file => PICTURES.has(file.content_type ?? file.type);

/** The bytes of a file that was uploaded, or that still waits for it. */
export const contentOf = async file =>
  (file instanceof Blob ? file : quillium.call("GET", `/files/${file.id}`, undefined, {as: "blob"}));

/** An image as a `data:` URL, which the page's security policy allows. */
export function pictureOf(file) {
  if (file instanceof Blob) return dataUrl(file);
  if (!pictures.has(file.id)) {
    const loading = contentOf(file).then(dataUrl);
    loading.catch(() => pictures.delete(file.id)); // the next time it is asked for again
    pictures.set(file.id, loading);
    if (pictures.size > MAX_PICTURES) pictures.delete(pictures.keys().next().value);
  }
  return pictures.get(file.id);
}

const dataUrl = blob => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

on("upload", ({client_id, share}) => (uploaded.value = {client_id, share}));

on("created", ({local_id, chat}) => {
  const files = takeFiles(local_id);
  if (files.length) put(chat.id, files);
});

on("session", isIn => {
  if (isIn) return;
  chosen.value = new Map();
  pictures.clear();
});
