"""`static/quillium.js` in a real browser against a real server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import needs_chromium
from tests.browser.pages import Server

pytestmark = needs_chromium

START = """
async () => {
  const {Quillium, QuilliumError} = await import("/static/quillium.js");
  window.seen = [];
  window.lists = 0;
  window.quillium = new Quillium({resync: () => { window.lists++; }});
  for (const type of ["message", "read", "chat", "typing", "reply", "status", "session",
                      "waiting", "outbox", "refused", "problem", "created", "unlisted"])
    window.quillium.addEventListener(type, ({detail}) => window.seen.push([type, detail]));
  window.until = async wanted => {
    for (const end = Date.now() + 15000; Date.now() < end; ) {
      if (wanted()) return true;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    throw new Error("waited in vain: " + JSON.stringify(window.seen.slice(-5)));
  };
  window.failed = promise => promise.then(() => "no error",
    error => [error instanceof QuilliumError, error.code, error.status, error.message]);
}
"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def tab(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(f"{server.program.url}/static/quillium.js")  # at `/` another one would be at work
    page.evaluate(START)
    return page


def signed_in(context: BrowserContext, server: Server) -> tuple[Page, str]:
    """A tab whose user has just made an account, with a socket; and a chat of theirs."""
    page = tab(context, server)
    chat: str = page.evaluate(
        """async () => {
          await quillium.register("ada@example.com", "a good password", "Ada");
          await quillium.call("PUT", "/settings/admin", {rate_limit_per_minute: 0});
          quillium.connect();
          await until(() => seen.some(([type, what]) => type === "status" && what === "online"));
          return (await quillium.call("POST", "/chats", {title: "x"})).id;
        }"""
    )
    return page, chat


def said(page: Page, chat: str) -> list[str]:
    """What the user has said, as the server lists it."""
    contents: list[str] = page.evaluate(
        """async chat => (await quillium.call("GET", `/chats/${chat}/messages?limit=100`)).data
          .filter(m => m.sender === "user").map(m => m.content)""",
        chat,
    )
    return contents


def test_say_and_hear(context: BrowserContext, server: Server) -> None:
    page, chat = signed_in(context, server)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    stored, texts, final = page.evaluate(
        """async chat => {
          const stored = await quillium.say(chat, "/slow 200");
          await until(() => seen.some(([type, m]) => type === "message" && m.sender !== "user"));
          const texts = seen.filter(([type]) => type === "reply").map(([, reply]) => reply.text);
          return [stored, texts, seen.at(-1)[1]];
        }""",
        chat,
    )
    assert (stored["content"], stored["sender"]) == ("/slow 200", "user")
    assert texts[-1] == final["content"]
    assert all(longer.startswith(text) for text, longer in itertools.pairwise(texts))
    assert page.evaluate("quillium.outbox") == []
    assert page.evaluate("lists") == 1  # at the beginning
    assert problems == []


def test_errors_are_typed(context: BrowserContext, server: Server) -> None:
    page, chat = signed_in(context, server)
    failed = page.evaluate(
        """async () => [
          await failed(quillium.call("GET", "/chats/chat_none")),
          await failed(quillium.call("POST", "/chats", {colour: "blue"})),
          await failed(quillium.register("ada@example.com", "a good password")),
          await failed(quillium.say("chat_none", "Hello")),
        ]"""
    )
    assert [(known, code, status) for known, code, status, _ in failed] == [
        (True, "not_found", 404),
        (True, "invalid_request", 400),
        (True, "email_taken", 409),
        (True, "not_found", 0),
    ]
    assert page.evaluate("quillium.outbox") == []
    server.kill()
    assert page.evaluate("failed(quillium.call('GET', '/models'))")[1:3] == ["offline", 0]
    page.evaluate("quillium.disconnect()")
    assert said_offline(page, chat) == [chat]


def said_offline(page: Page, chat: str) -> list[str]:
    page.evaluate("chat => { quillium.say(chat, 'later').catch(() => {}); }", chat)
    chats: list[str] = page.evaluate("quillium.outbox.map(m => m.chat_id)")
    return chats


def test_tokens_are_refreshed_once_for_all_tabs(context: BrowserContext, server: Server) -> None:
    page, _ = signed_in(context, server)
    other = tab(context, server)
    refreshes: list[Any] = []
    context.on(
        "request",
        lambda request: refreshes.append(request) if request.url.endswith("/refresh") else None,
    )
    page.evaluate(
        """() => {
          const tokens = JSON.parse(localStorage.quillium);
          localStorage.quillium = JSON.stringify({...tokens, ends_at: 0});
        }"""
    )
    ask = "Promise.all([1, 2, 3].map(() => quillium.call('GET', '/users/me')))"
    waiting = page.evaluate_handle(f"({{asked: {ask}}})")
    assert len(other.evaluate(ask)) == 3
    assert len(waiting.evaluate("({asked}) => asked")) == 3
    assert len(refreshes) == 1


def test_a_rate_limit_is_waited_for(context: BrowserContext, server: Server) -> None:
    page, _ = signed_in(context, server)
    error = '{"error": {"code": "rate_limited", "message": "m", "details": "d"}}'
    page.route(  # a bucket takes a minute to be full again
        "**/users/me",
        lambda route: route.fulfill(
            status=429,
            headers={"Retry-After": "1", "Content-Type": "application/json"},
            body=error,
        ),
        times=1,
    )
    assert page.evaluate("quillium.call('GET', '/users/me')")["name"] == "Ada"
    assert ["waiting", 1] in page.evaluate("seen")


def test_what_is_said_offline_goes_out_once(context: BrowserContext, server: Server) -> None:
    page, chat = signed_in(context, server)
    server.kill()
    page.evaluate(
        """chat => {
          window.stored = Promise.all(["one", "two"].map(content => quillium.say(chat, content)));
        }""",
        chat,
    )
    server.start()
    stored = page.evaluate("stored")
    assert [message["content"] for message in stored] == ["one", "two"]
    assert said(page, chat) == ["one", "two"]
    assert page.evaluate("lists") == 1  # nothing had to be listed again
    server.kill()
    assert said_offline(page, chat) == [chat]
    server.start()
    page.reload()  # what waits outlives it
    page.evaluate(START)
    page.evaluate(
        """async () => {
          await quillium.persisted();
          quillium.connect();
          await until(() => quillium.outbox.length === 0);
        }"""
    )
    assert said(page, chat) == ["one", "two", "later"]


def test_tabs_sign_in_and_out_together(context: BrowserContext, server: Server) -> None:
    page, _ = signed_in(context, server)
    other = tab(context, server)
    assert other.evaluate("quillium.isSignedIn")
    page.evaluate("quillium.logout()")
    other.evaluate("until(() => !quillium.isSignedIn)")
    page.evaluate("quillium.login('ada@example.com', 'a good password')")
    other.evaluate("until(() => quillium.isSignedIn)")
    assert other.evaluate("quillium.call('GET', '/users/me')")["email"] == "ada@example.com"


def test_a_session_that_is_ended_elsewhere(context: BrowserContext, server: Server) -> None:
    page, _ = signed_in(context, server)
    body = {"email": "ada@example.com", "password": "a good password"}
    token = server.program.call("POST", "/api/v1/auth/login", body)["access_token"]
    server.program.call("POST", "/api/v1/auth/logout", {"everywhere": True}, token)
    page.evaluate("until(() => !quillium.isSignedIn)")
    assert ["session", False] in page.evaluate("seen")


def test_what_waits_is_told_and_given_back_when_it_can_not_be_stored(
    context: BrowserContext, server: Server
) -> None:
    page, chat = signed_in(context, server)
    page.evaluate(
        """async chat => {
          quillium.disconnect();
          quillium.say(chat, "one").catch(() => {});
          quillium.say(chat, "two").catch(() => {});
          await quillium.persisted();
          await quillium.call("DELETE", `/chats/${chat}`);
        }""",
        chat,
    )
    page.reload()
    page.evaluate(START)
    told = page.evaluate(
        """async () => {
          await quillium.persisted();
          const waited = quillium.outbox.map(({content}) => content);
          seen.length = 0;
          quillium.connect();
          await until(() => seen.filter(([type]) => type === "refused").length === 2);
          const refused = seen.filter(([type]) => type === "refused").map(([, what]) => what);
          return {
            waited, left: quillium.outbox.length,
            outbox: seen.filter(([type]) => type === "outbox").map(([, what]) => what.length),
            refused: refused.map(({chat_id, content, error}) => [chat_id, content, error.code]),
          };
        }"""
    )
    assert told == {
        "waited": ["one", "two"],
        "left": 0,
        "outbox": [2, 1, 0],  # the first as it is read again for the connection
        "refused": [[chat, "one", "not_found"], [chat, "two", "not_found"]],
    }


def test_an_answer_as_text_and_one_that_is_given_up(
    context: BrowserContext, server: Server
) -> None:
    page, chat = signed_in(context, server)
    page.evaluate("chat => quillium.say(chat, 'Hello')", chat)
    path = f"/chats/{chat}/export?format=markdown"
    text = page.evaluate(
        "path => quillium.call('GET', path, undefined, {as: 'text'})",
        path,
    )
    assert text.startswith("# x\n")
    assert "Hello" in text
    given_up = page.evaluate(
        """path => {
          const options = {signal: AbortSignal.abort()};
          return quillium.call("GET", path, undefined, options).catch(error => error.name);
        }""",
        path,
    )
    assert given_up == "AbortError"


RECORDS = """
() => {
  window.records = (mode, work) => new Promise((resolve, reject) => {
    const opening = indexedDB.open("quillium");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const stores = ["outbox", "created", "drafts"];
      const transaction = opening.result.transaction(stores, mode);
      const request = work(name => transaction.objectStore(name));
      transaction.oncomplete = () => { opening.result.close(); resolve(request?.result); };
    };
  });
}
"""


def test_ids_of_created_chats_are_forgotten(context: BrowserContext, server: Server) -> None:
    """The oldest of more than 500, except those that a waiting message needs."""
    page, chat = signed_in(context, server)
    page.evaluate(RECORDS)
    page.evaluate(
        """async chat => {
          quillium.disconnect();
          const account = quillium.account;
          await records("readwrite", store => {
            for (let number = 0; number < 600; number++)
              store("created").put({local_id: `new_${number}`, account, chat_id: chat, created_at: number});
            store("outbox").add({account, client_id: "waits", chat_id: "new_0", content: "kept"});
          });
        }""",
        chat,
    )
    page.reload()
    page.evaluate(START)
    page.evaluate(RECORDS)
    kept = page.evaluate(
        """async chat => {
          await quillium.persisted();
          const kept = await records("readonly", store => store("created").getAllKeys());
          const ids = ["new_0", "new_99", "new_100", "new_599"].map(id => quillium.chatId(id) === chat);
          quillium.connect();
          await until(() => quillium.outbox.length === 0);
          return [kept.length, kept.includes("new_0"), kept.includes("new_99"), ids];
        }""",
        chat,
    )
    assert kept == [501, True, False, [True, False, True, True]]
    assert said(page, chat) == ["kept"]


def test_a_deleted_account_leaves_nothing_behind(context: BrowserContext, server: Server) -> None:
    page, chat = signed_in(context, server)
    page.evaluate(RECORDS)
    before, after, is_signed_in = page.evaluate(
        """async chat => {
          await quillium.register("bob@example.com", "a good password", "Bob");
          const {account} = quillium;
          quillium.begin("unsent").stored.catch(() => {});
          await quillium.persisted();
          const waiting = () => records("readonly", store => store("outbox").index("account").getAll(account));
          quillium.disconnect();
          quillium.say(chat, "unsent, too").catch(() => {});
          await quillium.persisted();
          const before = await waiting();
          await quillium.call("DELETE", "/users/me", {current_password: "a good password"});
          return [before.length, (await waiting()).length, quillium.isSignedIn];
        }""",
        chat,
    )
    assert before > 0
    assert (after, is_signed_in) == (0, False)
