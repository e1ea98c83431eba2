"""Sent messages are never lost, duplicated, reordered or sent from another account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, FilePayload, Page, Route, expect

from tests.browser.conftest import needs_chromium
from tests.browser.network import Network, Reached, network
from tests.browser.pages import PASSWORD, Guard, User
from tests.program import Program

pytestmark = needs_chromium


@pytest.fixture
def relay(served: Program) -> Iterator[Network]:
    with network(served.url) as between:
        yield between


@pytest.fixture
def reached(relay: Network, served: Program) -> Any:
    return Reached(relay.url, served.call)


@pytest.fixture
def guard(context: BrowserContext, relay: Network) -> Iterator[Guard]:
    watching = Guard(context, relay.url)
    yield watching
    assert watching.noticed == []


@pytest.fixture
def eve(context: BrowserContext, guard: Guard, reached: Any) -> User:
    """Somebody whose network can be cut."""
    user = User(context.new_page(), reached)
    user.open(user.register())
    return user


def waiting(user: User) -> Any:
    return user.page.locator(".is-waiting .words")


def go_online(user: User, relay: Network) -> None:
    relay.restore()
    user.page.evaluate("dispatchEvent(new Event('online'))")


def go_offline(user: User, relay: Network) -> None:
    relay.cut()
    expect(user.page.locator(".banner", has=user.page.get_by_role("button"))).to_be_visible()


def stored(user: User) -> list[list[str]]:
    """What the user has said, chat by chat, in the order in which the chats were made."""
    chats = user.call("GET", "/chats?limit=100")["data"]
    chats.sort(key=lambda chat: chat["created_at"])
    return [said_in(user, chat["id"]) for chat in chats]


def said_in(user: User, chat: str) -> list[str]:
    path, found = f"/chats/{chat}/messages?limit=100", []
    while path:
        page = user.call("GET", path)
        found += [message["content"] for message in page["data"] if message["sender"] == "user"]
        path = (page["pagination"]["next"] or "").removeprefix("/api/v1")
    return found


def settled(user: User) -> None:
    """Wait until nothing waits to be sent."""
    expect(waiting(user)).to_have_count(0)
    user.page.evaluate(
        """async () => {
          const {modules} = await import("/static/bundle/page.js");
          const {quillium} = modules["page/state/client.js"];
          await quillium.persisted();
          await new Promise(resolve => {
            const look = () => quillium.outbox.length === 0 && resolve();
            quillium.addEventListener("outbox", look);
            look();
          });
        }"""
    )


def sign_out(user: User) -> None:
    user.page.evaluate(
        "localStorage.setItem('quillium-known', 'yes')"
    )  # so that it offers to sign in
    user.account("Sign out")
    expect(user.page.get_by_label("Password")).to_be_visible()


def sign_in(user: User, email: str) -> None:
    user.page.get_by_label(re.compile("E-?mail")).fill(email)
    user.page.get_by_label("Password").fill(PASSWORD)
    user.page.get_by_role("button", name="Sign in").first.click()
    expect(user.composer).to_be_visible()


def test_a_second_message_while_the_chat_is_created(eve: User, relay: Network) -> None:
    go_offline(eve, relay)
    eve.say("one")
    eve.say("two")
    expect(waiting(eve)).to_have_text(["one", "two"])
    expect(eve.page.locator(".banner")).to_contain_text("2 messages")
    expect(eve.chats).to_have_text(["one"])
    go_online(eve, relay)
    expect(eve.said).to_have_text(["one", "two"])
    settled(eve)
    assert stored(eve) == [["one", "two"]]
    expect(eve.page).to_have_url(re.compile("#chat_"))
    expect(eve.chats).to_have_count(1)
    expect(eve.composer).to_be_focused()


def test_several_chats_are_begun_offline(eve: User, relay: Network) -> None:
    go_offline(eve, relay)
    for text in ("one", "two", "three"):
        eve.button("New chat").click()
        eve.say(text)
    eve.page.get_by_role("link", name="one").click()
    eve.say("more for one")
    go_online(eve, relay)
    settled(eve)
    assert stored(eve) == [["one", "more for one"], ["two"], ["three"]]


def test_typing_right_after_a_click_on_a_chat(eve: User, relay: Network) -> None:
    """What is typed goes to the chat that was clicked, even before the browser's `hashchange`."""
    go_offline(eve, relay)
    for text in ("one", "two"):
        eve.button("New chat").click()
        eve.say(text)
    eve.page.evaluate(
        """async () => {
          const rows = [...document.querySelectorAll(".chat-row a")];
          rows.find(row => row.textContent.includes("one")).click();
          await Promise.resolve(); // the page draws in a microtask, before any further input
          await Promise.resolve();
          const composer = document.getElementById("composer");
          composer.value = "more for one";
          composer.dispatchEvent(new InputEvent("input", {bubbles: true}));
          const enter = {key: "Enter", bubbles: true, cancelable: true};
          composer.dispatchEvent(new KeyboardEvent("keydown", enter));
        }"""
    )
    expect(eve.heading).to_have_text("one")
    expect(waiting(eve)).to_have_text(["one", "more for one"])
    eve.page.go_back()
    expect(eve.heading).to_have_text("two")
    expect(waiting(eve)).to_have_text(["two"])
    go_online(eve, relay)
    settled(eve)
    assert stored(eve) == [["one", "more for one"], ["two"]]


def test_a_draft_follows_its_chat(eve: User, relay: Network) -> None:
    go_offline(eve, relay)
    eve.say("Hello")
    eve.composer.fill("half a thou")
    go_online(eve, relay)
    expect(eve.page).to_have_url(re.compile("#chat_"))
    expect(eve.composer).to_have_value("half a thou")
    settled(eve)
    eve.page.reload()
    expect(eve.composer).to_have_value("half a thou")


@pytest.mark.parametrize(
    "fault",
    [
        {
            "status": 500,
            "body": '{"error": {"code": "internal_error", "message": "m", "details": ""}}',
        },
        {"status": 502, "body": "<h1>Bad gateway</h1>"},
        {
            "status": 503,
            "body": '{"error": {"code": "storage_unavailable", "message": "m", "details": ""}}',
        },
        {
            "status": 429,
            "body": '{"error": {"code": "rate_limited", "message": "m", "details": ""}}',
            "headers": {"Retry-After": "1"},
        },
        None,
    ],
    ids=["500", "502", "503", "429", "lost"],
)
def test_a_chat_that_can_not_be_created_at_first(eve: User, fault: dict[str, Any] | None) -> None:
    """`lost`: it is created, but the response never comes."""

    def fail(route: Route) -> None:
        if fault is None:
            route.fetch()
            route.abort()
        else:
            route.fulfill(**fault)

    eve.page.route("**/api/v1/chats", fail, times=1)
    eve.say("one")
    eve.say("two")
    settled(eve)
    chats = [said for said in stored(eve) if said]  # a server that takes no client_id makes two
    assert chats == [["one", "two"]]


def test_what_waits_is_never_sent_as_somebody_else(eve: User, relay: Network, reached: Any) -> None:
    bob = User(eve.page, reached)
    bob.register()
    chat = eve.chat("Hello")
    eve.page.goto(f"{relay.url}/#{chat}")
    expect(eve.replies).to_have_count(1)
    go_offline(eve, relay)
    eve.say("mine alone")
    eve.button("New chat").click()
    eve.say("mine, too")
    sign_out(eve)
    relay.restore()
    sign_in(eve, bob.email)
    eve.say("Bob's", replies=1)
    settled(eve)
    assert stored(bob) == [["Bob's"]]
    sign_out(eve)
    sign_in(eve, eve.email)
    eve.login()
    settled(eve)
    expect(eve.page.locator(".chat-title")).to_have_count(2)
    assert stored(eve) == [["Hello", "mine alone"], ["mine, too"]]
    assert stored(bob) == [["Bob's"]]


def test_another_tab_signs_in_as_somebody_else(eve: User, relay: Network, reached: Any) -> None:
    bob = User(eve.page.context.new_page(), reached)
    tokens = bob.register()
    go_offline(eve, relay)
    eve.say("mine alone")
    expect(waiting(eve)).to_have_count(1)
    relay.restore()
    bob.open(tokens)
    expect(eve.composer).to_be_visible()
    expect(waiting(eve)).to_have_count(0)
    settled(bob)
    settled(eve)
    assert stored(bob) == []


def test_long_messages_outlive_a_reload(eve: User, relay: Network) -> None:
    chat = eve.chat("Hello")
    eve.page.goto(f"{relay.url}/#{chat}")
    expect(eve.replies).to_have_count(1)
    go_offline(eve, relay)
    expected = [f"{number} {'x' * 99_000}" for number in range(60)]
    eve.page.evaluate(
        """async ([chat, texts]) => {
          const {modules} = await import("/static/bundle/page.js");
          const {quillium} = modules["page/state/client.js"];
          for (const text of texts) quillium.say(chat, text).catch(() => {});
          await quillium.persisted();
        }""",
        [chat, expected],
    )
    # Chromium needs 5 s to wrap each of them with kerning.
    expect(eve.page.locator(".is-waiting").last).to_have_css("font-kerning", "none")
    expect(eve.replies).to_have_css("font-kerning", "auto")
    eve.page.goto("about:blank")
    relay.restore()
    eve.page.goto(f"{relay.url}/")
    expect(eve.composer).to_be_visible()
    settled(eve)
    assert said_in(eve, chat) == ["Hello", *expected]


def test_tabs_share_what_waits(eve: User, relay: Network, reached: Any) -> None:
    chat = eve.chat("Hello")
    eve.page.goto(f"{relay.url}/#{chat}")
    other = User(eve.page.context.new_page(), reached, eve.email)
    other.token = eve.token
    other.page.goto(f"{relay.url}/#{chat}")
    for tab in (eve, other):
        expect(tab.replies).to_have_count(1)
    go_offline(eve, relay)
    expected = []
    for number, tab in enumerate((eve, other) * 3):
        expected.append(f"number {number}")
        tab.say(expected[-1])
        for shown in (eve, other):
            expect(waiting(shown)).to_have_text(expected)
    relay.restore()
    for tab in (eve, other):
        tab.page.evaluate("dispatchEvent(new Event('online'))")
    for tab in (eve, other):
        settled(tab)
    assert said_in(eve, chat) == ["Hello", *expected]


def test_a_tab_that_is_closed_leaves_its_messages_to_another(
    eve: User, relay: Network, reached: Any
) -> None:
    other = User(eve.page.context.new_page(), reached, eve.email)
    other.token = eve.token
    other.page.goto(relay.url)
    expect(other.composer).to_be_visible()
    go_offline(eve, relay)
    eve.say("from a closed tab")
    expect(other.chats).to_have_text(["from a closed tab"])
    eve.page.close()
    go_online(other, relay)
    settled(other)
    assert stored(other) == [["from a closed tab"]]


def test_closing_asks_while_something_waits(eve: User, relay: Network) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    eve.page.on("dialog", answer)
    eve.say("Hello", replies=1)
    settled(eve)
    eve.page.reload()
    expect(eve.composer).to_be_visible()
    assert asked == []
    go_offline(eve, relay)
    eve.say("unsent")
    expect(waiting(eve)).to_have_count(1)
    eve.page.goto("about:blank")
    assert asked == ["beforeunload"]


REFUSALS = {
    "open": "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); };",
    "quota": """IDBObjectStore.prototype.add = function () {
      throw new DOMException('', 'QuotaExceededError'); };""",
    "silent": "IDBFactory.prototype.open = () => new EventTarget();",
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_browser_that_refuses_to_store(eve: User, relay: Network, how: str) -> None:
    eve.page.context.add_init_script(REFUSALS[how])
    eve.page.reload()
    expect(eve.composer).to_be_visible()
    go_offline(eve, relay)
    for text in ("one", "two", "three"):
        eve.say(text)
    expect(waiting(eve)).to_have_text(["one", "two", "three"])
    go_online(eve, relay)
    settled(eve)
    assert stored(eve) == [["one", "two", "three"]]


REFUSED = """
const refuse = () => { throw new DOMException("", "SecurityError"); };
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, {get: refuse});
indexedDB.constructor.prototype.open = refuse;
window.BroadcastChannel = refuse;
if (navigator.locks) { // about:blank has none
  navigator.locks.constructor.prototype.request = async () => refuse();
  navigator.locks.constructor.prototype.query = async () => refuse();
}
"""


def test_a_browser_that_refuses_everything(
    context: BrowserContext, guard: Guard, reached: Any, relay: Network
) -> None:
    """As Firefox does where all cookies are blocked."""
    context.add_init_script(REFUSED)
    asked: list[str] = []
    user = User(context.new_page(), reached)

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    user.page.on("dialog", stay)
    user.register()
    user.page.goto(relay.url)
    switch = user.page.get_by_text(re.compile("(Already|Don’t) have an account"))
    expect(switch).to_be_visible()
    if "Already" in switch.inner_text():
        user.button("Sign in").click()
    sign_in(user, user.email)
    user.say("Hello", replies=1)
    go_offline(user, relay)
    for text in ("one", "two"):
        user.say(text)
    go_online(user, relay)
    settled(user)
    assert stored(user) == [["Hello", "one", "two"]]
    user.composer.press_sequentially("half a thou")
    expect(user.composer).to_have_value("half a thou")
    user.page.evaluate("setTimeout(() => location.reload())")
    user.page.wait_for_event("dialog")
    assert asked == ["beforeunload"]
    expect(user.composer).to_have_value("half a thou")


def test_drafts_are_in_step_between_tabs(eve: User, reached: Any, relay: Network) -> None:
    chat = eve.chat("Hello")
    other = User(eve.page.context.new_page(), reached, eve.email)
    for tab in (eve, other):
        tab.page.goto(f"{relay.url}/#{chat}")
        expect(tab.replies).to_have_count(1)
    eve.composer.press_sequentially("half")
    expect(other.composer).to_have_value("half")
    other.composer.press_sequentially(" a thought")
    expect(eve.composer).to_have_value("half a thought")
    other.composer.press("Enter")
    expect(eve.composer).to_have_value("")
    expect(eve.said).to_have_text(["Hello", "half a thought"])


def kept_words(page: Page) -> str:
    """Whatever this browser stores for the page."""
    found: str = page.evaluate(
        """async () => {
          const database = await new Promise(resolve => {
            const request = indexedDB.open("quillium");
            request.onsuccess = () => resolve(request.result);
          });
          const all = store => new Promise(resolve => {
            const request = database.transaction(store).objectStore(store).getAll();
            request.onsuccess = () => resolve(request.result);
          });
          const drafts = await all("drafts");
          database.close();
          return JSON.stringify([drafts, {...localStorage}, {...sessionStorage}]);
        }"""
    )
    return found


def test_drafts_are_gone_after_signing_out(eve: User, reached: Any, relay: Network) -> None:
    bob = User(eve.page, reached)
    bob.register()
    chat = eve.chat("Hello")
    for fragment in ("", f"#{chat}"):
        eve.page.goto(f"{relay.url}/{fragment}")
        eve.composer.fill("between the lines")
    assert "between the lines" in kept_words(eve.page)
    sign_out(eve)
    assert "between the lines" not in kept_words(eve.page)
    sign_in(eve, bob.email)
    expect(eve.composer).to_have_value("")


def test_drafts_outlive_a_session_that_the_server_ends(eve: User) -> None:
    eve.composer.fill("half a thou")
    eve.call("POST", "/auth/logout", {"everywhere": True})
    expect(eve.page.get_by_role("alert")).to_contain_text("session")
    sign_in(eve, eve.email)
    expect(eve.composer).to_have_value("half a thou")


def test_what_comes_back_is_in_order(eve: User, relay: Network) -> None:
    chat = eve.chat("Hello")
    eve.page.goto(f"{relay.url}/#{chat}")
    expect(eve.replies).to_have_count(1)
    go_offline(eve, relay)
    for text in ("one", "two", "three"):
        eve.say(text)
    eve.composer.fill("typed since")
    eve.call("DELETE", f"/chats/{chat}")
    go_online(eve, relay)
    expect(eve.heading).to_have_text("New chat")
    expect(eve.composer).to_have_value("one\n\ntwo\n\nthree")


def test_your_own_typing_is_not_another_device(eve: User, reached: Any, relay: Network) -> None:
    chat = eve.chat("Hello")
    other = User(eve.page.context.new_page(), reached, eve.email)
    for tab in (eve, other):
        tab.page.goto(f"{relay.url}/#{chat}")
        expect(tab.replies).to_have_count(1)
    eve.composer.press_sequentially("Hello again")
    expect(other.composer).to_have_value("Hello again")
    eve.composer.press("Enter")
    for tab in (eve, other):
        expect(tab.replies).to_have_count(2)
        expect(tab.page.locator(".elsewhere")).to_have_text("")


def test_files_wait_with_their_message(eve: User, relay: Network) -> None:
    """Through a reload without a network, and in order with the messages after it."""
    go_offline(eve, relay)
    with eve.page.expect_file_chooser() as choosing:
        eve.button("Attach files").click()
    content = b"remember the milk\n" * 20_000
    file: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": content}
    choosing.value.set_files(file)
    expect(eve.page.locator(".composer .file")).to_have_count(1)
    eve.say("one")
    eve.say("two")
    expect(eve.page.locator(".is-waiting .file-name")).to_have_text(["a.txt"])
    eve.page.evaluate("() => document.querySelector('#composer').blur()")
    eve.page.once("dialog", lambda dialog: dialog.accept())
    relay.restore()  # the page itself has to load
    eve.page.reload()
    settled(eve)
    assert stored(eve) == [["one", "two"]]
    path = f"/chats/{eve.shown}/messages"
    files = eve.call("GET", path)["data"][0]["attachments"]
    assert [(file["name"], file["size"]) for file in files] == [("a.txt", len(content))]
