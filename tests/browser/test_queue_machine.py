"""The send queue under random interleavings: in order, exactly once, from the right account.

Two accounts share a browser with several tabs. The tabs send messages, create chats, are reloaded,
closed and duplicated, and switch accounts, while the network fails and responses are lost.
`QUEUE_EXAMPLES=200` runs more examples.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from playwright.sync_api import Browser, Error, Page, Route

from tests.browser.conftest import needs_chromium
from tests.browser.network import Network
from tests.browser.pages import PASSWORD, numbers
from tests.browser.test_client import START
from tests.program import Program

pytestmark = needs_chromium

EXAMPLES = int(os.environ.get("QUEUE_EXAMPLES", "8"))
MAX_TABS = 3
ACCOUNTS = ("ada", "bob")
REFUSED = '{"error": {"code": "storage_unavailable", "message": "m", "details": "d"}}'


def lost(route: Route) -> None:
    """The server does it, and the response never comes."""
    with contextlib.suppress(Error):  # the network is cut, or the page was reloaded meanwhile
        route.fetch()
    with contextlib.suppress(Error):
        route.abort()


FAULTS: dict[str, Callable[[Route], None]] = {
    "lost": lost,
    "refused": lambda route: route.fulfill(
        status=503, body=REFUSED, content_type="application/json"
    ),
    "gateway": lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"),
}


class QueueMachine(RuleBasedStateMachine):
    """`said` is the model: for each account its chats, each a list of texts in order."""

    def __init__(self, browser: Browser, program: Program) -> None:
        super().__init__()
        self.program = program
        self.network = Network(int(program.url.rpartition(":")[2]))
        self.context = browser.new_context()
        self.context.set_default_timeout(20_000)
        self.tabs: list[Page] = []
        self.emails = {name: f"{name}{next(numbers)}@example.com" for name in ACCOUNTS}
        self.tokens = {name: program.register(email) for name, email in self.emails.items()}
        self.said: dict[str, dict[str, list[str]]] = {name: {} for name in ACCOUNTS}
        self.account: str | None = None
        self.is_cut = False
        self.texts = 0

    def call(self, account: str, method: str, path: str, body: Any = None) -> Any:
        return self.program.call(method, f"/api/v1{path}", body, self.tokens[account])

    # Beginning

    @initialize()
    def begin_with_a_chat_each(self) -> None:
        for account in ACCOUNTS:
            chat = self.call(account, "POST", "/chats", {"title": "old"})["id"]
            self.said[account][chat] = []
        self.open_tab()
        self.sign_in("ada")

    def load(self, page: Page) -> None:
        """A page can't be loaded through a network that is cut; it was before."""
        self.network.restore()
        page.goto(f"{self.network.url}/static/quillium.js")
        page.evaluate(START)
        if self.is_cut:
            self.network.cut()
        page.evaluate("quillium.persisted().then(() => quillium.connect())")

    # What users do

    @precondition(lambda self: len(self.tabs) < MAX_TABS)
    @rule()
    def open_tab(self) -> None:
        page = self.context.new_page()
        self.load(page)
        self.tabs.append(page)

    @precondition(lambda self: len(self.tabs) > 1)
    @rule(data=st.data())
    def close_tab(self, data: st.DataObject) -> None:
        self.tabs.pop(data.draw(st.integers(0, len(self.tabs) - 1))).close()

    @rule(data=st.data())
    def reload_tab(self, data: st.DataObject) -> None:
        self.load(data.draw(st.sampled_from(self.tabs)))

    @precondition(lambda self: self.account is not None)
    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        assert self.account is not None
        page = data.draw(st.sampled_from(self.tabs))
        chats = self.said[self.account]
        chat = data.draw(st.sampled_from(sorted(chats)))
        text = self.text()
        chats[chat].append(text)
        page.evaluate(
            """async ([chat, text]) => {
              quillium.say(chat, text).catch(() => {});
              await quillium.persisted();
            }""",
            [chat, text],
        )

    @precondition(lambda self: self.account is not None)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        assert self.account is not None
        page = data.draw(st.sampled_from(self.tabs))
        text = self.text()
        chat = page.evaluate(
            """async text => {
              const {id, stored} = quillium.begin(text, {title: "new"});
              stored.catch(() => {});
              await quillium.persisted();
              return id;
            }""",
            text,
        )
        self.said[self.account][chat] = [text]

    @precondition(lambda self: self.account is not None)
    @rule()
    def sign_out(self) -> None:
        self.tabs[0].evaluate("quillium.logout().catch(() => {})")
        self.account = None
        self.follow()

    @precondition(lambda self: self.account is None)
    @rule(account=st.sampled_from(ACCOUNTS))
    def sign_in(self, account: str) -> None:
        body = {"email": self.emails[account], "password": PASSWORD}
        tokens = self.program.call("POST", "/api/v1/auth/login", body)
        self.tabs[0].evaluate("tokens => quillium.useTokens(tokens)", tokens)
        self.account = account
        self.follow()

    def follow(self) -> None:
        """Wait until all tabs have noticed who is signed in."""
        is_in = "true" if self.account else "false"
        for page in self.tabs:
            page.evaluate(f"until(() => quillium.isSignedIn === {is_in})")
            page.evaluate("quillium.persisted()")

    # What goes wrong

    @rule()
    def cut(self) -> None:
        self.is_cut = True
        self.network.cut()

    @precondition(lambda self: self.is_cut)
    @rule()
    def restore(self) -> None:
        self.is_cut = False
        self.network.restore()
        for page in self.tabs:
            page.evaluate("dispatchEvent(new Event('online'))")

    @rule(fault=st.sampled_from(sorted(FAULTS)))
    def fail(self, fault: str) -> None:
        """The next creation of a chat goes wrong."""
        self.context.unroute_all()
        self.context.route("**/api/v1/chats", FAULTS[fault], times=1)

    # What must hold

    @invariant()
    def only_own_words_wait(self) -> None:
        for page in self.tabs:
            waiting = set(page.evaluate("quillium.outbox.map(({content}) => content)"))
            chats = self.said[self.account].values() if self.account else []
            assert waiting <= {text for texts in chats for text in texts}

    def teardown(self) -> None:
        try:
            if self.tabs:
                self.context.unroute_all()
                self.is_cut = False
                self.network.restore()
                for account in ACCOUNTS:
                    self.drain(account)
                    self.compare(account)
        finally:
            self.context.close()
            self.network.close()

    def drain(self, account: str) -> None:
        if self.account != account:
            if self.account is not None:
                self.sign_out()
            self.sign_in(account)
        for page in self.tabs:
            page.evaluate("quillium.connect(); quillium.persisted()")
            page.evaluate("until(() => quillium.outbox.length + quillium.newChats.length === 0)")

    def compare(self, account: str) -> None:
        found: dict[str, list[str]] = {}
        for chat in self.call(account, "GET", "/chats?limit=100")["data"]:
            listed = self.call(account, "GET", f"/chats/{chat['id']}/messages?limit=100")["data"]
            texts = [message["content"] for message in listed if message["sender"] == "user"]
            if texts:
                found[chat["id"]] = texts
        expected = [texts for texts in self.said[account].values() if texts]
        assert sorted(found.values()) == sorted(expected)

    def text(self) -> str:
        self.texts += 1
        return f"text {self.texts:03}"


@pytest.mark.timeout(30 * EXAMPLES)
def test_the_queue_under_random_interleavings(browser: Browser, served: Program) -> None:
    made: Any = lambda: QueueMachine(browser, served)  # noqa: E731
    run_state_machine_as_test(
        made,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=EXAMPLES == 8,  # the same on every machine, unless more are asked for
            suppress_health_check=list(HealthCheck),
        ),
    )
