/** What the page talks to in the gallery: responses from `data.js`, and a socket that only opens. */

import {RESPONSES} from "./data.js";

const API = "/api/v1";
const TOKEN = `x.${btoa(JSON.stringify({sub: "user_ada"}))}.x`;

/** Responses that a state can give instead of a body. */
export const NEVER = Symbol("no response");
export const fails = (status, code, details = "", headers = {}) => ({status, code, details, headers});

/**
 * Replace what reaches other tabs and the server: storage, channels, locks, requests and the socket.
 *
 * @param {string} name of the state
 * @param {object} options
 * @param {object} [options.server] responses by method and path, before those of `data.js`
 * @param {Record<string, string>} [options.storage] what this browser has stored
 * @param {boolean} [options.isSignedOut]
 */
export function pretend(name, {server = {}, storage = {}, isSignedOut = false}) {
  const prefix = `gallery-${name}-`;
  const session = JSON.stringify({access_token: TOKEN, refresh_token: "x", ends_at: Date.now() + 900_000});
  replaceStorage({...(!isSignedOut && {quillium: session}), ...storage});
  separate(prefix);
  const responses = {...RESPONSES, ...server};
  const request = globalThis.fetch.bind(globalThis);
  globalThis.fetch = async (address, options = {}) => {
    const {pathname, searchParams} = new URL(address, location.href);
    if (!pathname.includes(API)) return request(address, options);
    const path = pathname.slice(pathname.indexOf(API) + API.length);
    return respond(responses, options.method ?? "GET", path, searchParams);
  };
  globalThis.WebSocket = Silent;
}

/** The response to a request; `{id}` stands for any id. One that is a function gets the query. */
async function respond(responses, method, path, query) {
  const found = responses[`${method} ${path.replace(/\/[a-z]+_[^/]+/g, "/{id}")}`];
  const response = typeof found === "function" ? found(query) : found;
  if (response === NEVER) return new Promise(() => {});
  if (response === undefined) return failed(fails(404, "not_found"));
  return response.status ? failed(response) : Response.json(response);
}

const failed = ({status, code, details, headers}) =>
  Response.json({error: {code, message: code, details}}, {status, headers});

function replaceStorage(stored) {
  const kept = new Map(Object.entries(stored));
  const value = {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, item) => kept.set(key, item),
    removeItem: key => kept.delete(key),
  };
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(globalThis, name, {value});
}

/** Give what tabs of an origin share names of this state's own. */
function separate(prefix) {
  const {indexedDB, BroadcastChannel} = globalThis;
  const open = indexedDB.open.bind(indexedDB);
  indexedDB.open = (name, version) => {
    indexedDB.deleteDatabase(prefix + name); // before what is opened after it
    return open(prefix + name, version);
  };
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      super(prefix + name);
    }
  };
  if (!navigator.locks) return;
  const request = navigator.locks.request.bind(navigator.locks);
  navigator.locks.request = (name, ...rest) => request(prefix + name, ...rest);
}

/** A socket over which nothing comes but the responses to probes. */
class Silent {
  readyState = 0;
  bufferedAmount = 0;

  constructor() {
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text) {
    const {data} = JSON.parse(text);
    if (data.client_id === "probe") this.onmessage?.({data: JSON.stringify({type: "error", data})});
  }

  close() {
    this.readyState = 3;
  }
}

/** A socket of a server that can't be reached. */
export class Unreachable {
  readyState = 0;

  constructor() {
    queueMicrotask(() => this.onclose?.({code: 1006, reason: ""}));
  }

  close() {
    this.readyState = 3;
  }
}
