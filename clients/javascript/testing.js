/** A Quillium server for tests: one for each worker, with a state and failures that tests choose. */

import {spawn} from "node:child_process";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {createInterface} from "node:readline";

/** Start a server on a free port. It ends with this process. */
export async function startQuillium({command = ["quillium"], seed = {}, flags = [], cwd} = {}) {
  const folder = mkdtempSync(join(tmpdir(), "quillium-seed-"));
  const file = join(folder, "seed.json");
  writeFileSync(file, JSON.stringify(seed));
  const [program, ...given] = command;
  const child = spawn(program, [...given, "--dev", "--sidecar", "--seed", file, ...flags], {
    cwd, stdio: ["pipe", "pipe", "pipe"], windowsHide: true,
  });
  let log = "";
  child.stderr.on("data", text => (log = (log + text).slice(-10_000)));
  child.stdin.on("error", () => {}); // it ended meanwhile
  const ended = new Promise(resolve => child.once("close", resolve));
  const ready = await new Promise((resolve, reject) => {
    createInterface({input: child.stdout}).once("line", line => resolve(JSON.parse(line)));
    child.once("error", reject);
    ended.then(status => reject(new Error(`Quillium ended with status ${status}: ${log}`)));
  }).finally(() => rmSync(folder, {recursive: true}));
  return new QuilliumServer(ready, child, ended);
}

class QuilliumServer {
  #child;
  #ended;

  constructor({url, page_url}, child, ended) {
    this.url = url;
    this.base = `${url}/api/v1`;
    this.pageUrl = page_url;
    this.#child = child;
    this.#ended = ended;
  }

  /** Go back to the seed. */
  reset() {
    return this.#call("POST", "reset");
  }

  /** Add users, chats and settings to the present state. */
  seed(seed) {
    return this.#call("POST", "seed", seed);
  }

  /** Simulate failures from now on; without arguments, none. */
  rules(...rules) {
    return this.#call("PUT", "rules", {rules});
  }

  /** Reply exactly so from now on; without arguments, as usual. */
  replies(...replies) {
    return this.#call("PUT", "replies", {replies});
  }

  /** Move the server's clock: `{now}`, `{is_frozen}`, `{advance_seconds}`. */
  clock(change) {
    return this.#call("PUT", "clock", change);
  }

  /** The last requests and frames, oldest first. */
  async journal() {
    return (await this.#call("GET", "journal")).entries;
  }

  /** Stop the server, and wait for its end. */
  async stop() {
    this.#child.stdin.end();
    await this.#ended;
  }

  async #call(method, path, body) {
    const response = await fetch(`${this.base}/dev/${path}`, {
      method,
      headers: body === undefined ? {} : {"Content-Type": "application/json"},
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(answer.error.details);
    return answer;
  }
}
