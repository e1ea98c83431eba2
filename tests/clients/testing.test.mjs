/** A project that tests its front end with the package of clients/javascript. Run by tests/page/test_package.py. */

import assert from "node:assert/strict";
import {after, before, beforeEach, test} from "node:test";
import {Quillium} from "quillium";
import {startQuillium} from "quillium/testing";

const seed = {
  users: [
    {id: "user_ada", email: "ada@example.com", password: "a good password", access_token: "token-of-ada",
     chats: [{id: "chat_rome", title: "Rome", messages: [
       {id: "msg_1", content: "When is Rome quiet?", sender: "user"},
       {id: "msg_2", content: "In November.", sender: "assistant"}]}]},
    {email: "bob@example.com", access_token: "token-of-bob"},
  ],
};
let server;

before(async () => {
  const command = JSON.parse(process.env.QUILLIUM_COMMAND);
  server = await startQuillium({command, seed, flags: ["--no-discovery"]});
});
beforeEach(() => server.reset());
after(() => server.stop());

const api = async (method, path, body, token = "token-of-ada") => {
  const headers = {Authorization: `Bearer ${token}`, ...(body && {"Content-Type": "application/json"})};
  const response = await fetch(`${server.base}${path}`, {method, headers, body: body && JSON.stringify(body)});
  return {status: response.status, headers: response.headers, body: await response.json()};
};
const say = content => api("POST", "/chats/chat_rome/messages", {content});
const replied = async count => {
  for (;;) {
    const {body} = await api("GET", "/chats/chat_rome/messages");
    const done = body.data.filter(({status}) => status !== "streaming");
    if (done.length >= count) return done.at(-1);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
};

test("the seed is there", async () => {
  const {body} = await api("GET", "/chats");
  assert.deepEqual(body.data.map(({title}) => title), ["Rome"]);
});

test("a test changes the state", async () => {
  await api("POST", "/chats", {title: "Paris"});
  assert.equal((await api("GET", "/chats")).body.pagination.total, 2);
});

test("and the next one does not see it", async () => {
  assert.equal((await api("GET", "/chats")).body.pagination.total, 1);
});

test("a user sees nothing of another", async () => {
  assert.equal((await api("GET", "/chats", undefined, "token-of-bob")).body.pagination.total, 0);
});

test("more can be added", async () => {
  await server.seed({users: [{email: "bob@example.com", chats: [{title: "Mine"}]}]});
  assert.equal((await api("GET", "/chats", undefined, "token-of-bob")).body.data[0].title, "Mine");
});

test("a mistake in a seed is explained", async () => {
  await assert.rejects(server.seed({users: [{}]}), /users\.0\.email: is required/);
});

test("a reply is scripted", async () => {
  await server.replies({match: {content: "Hello"}, reply: {chunks: ["Hi ", "Ada!"]}});
  await say("Hello");
  assert.equal((await replied(4)).content, "Hi Ada!");
});

test("a reply fails in the middle", async () => {
  await server.replies({match: {}, reply: {text: "So far", error: "model_timeout"}});
  await say("Hello");
  const {status, content} = await replied(4);
  assert.deepEqual([status, content], ["failed", "So far"]);
});

test("a request fails once", async () => {
  await server.rules({match: {path: "/chats", times: 1}, respond: {code: "storage_unavailable"}});
  assert.equal((await api("GET", "/chats")).status, 503);
  assert.equal((await api("GET", "/chats")).status, 200);
});

test("a rate limit has its headers", async () => {
  await server.rules({match: {}, respond: {code: "rate_limited", retry_after: 2}});
  const {status, headers} = await api("GET", "/chats");
  assert.deepEqual([status, headers.get("retry-after")], [429, "2"]);
});

test("a token expires", async () => {
  const body = {email: "ada@example.com", password: "a good password"};
  const {access_token} = (await api("POST", "/auth/login", body)).body;
  await server.clock({advance_seconds: 901});
  assert.equal((await api("GET", "/users/me", undefined, access_token)).body.error.code, "token_expired");
});

test("the journal tells what was sent", async () => {
  await say("Hello");
  const sent = (await server.journal()).filter(({path}) => path?.endsWith("/messages"));
  assert.deepEqual(sent[0].body, {content: "Hello"});
});

test("the client module is in the package", async () => {
  const quillium = new Quillium({base: server.base});
  await quillium.useTokens({access_token: "token-of-ada"});
  assert.equal((await quillium.call("GET", "/users/me")).id, "user_ada");
  quillium.destroy();
});
