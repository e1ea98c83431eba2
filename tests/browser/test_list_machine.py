"""The list of chats under random interleavings: complete, in order, and nothing twice.

One page lists, searches and scrolls, while another device creates, changes and deletes chats and
the network fails. `LIST_EXAMPLES=100` runs more examples.
"""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from playwright.sync_api import Browser, expect

from tests.browser.conftest import needs_chromium
from tests.browser.network import Network
from tests.browser.pages import User
from tests.program import Program

pytestmark = needs_chromium

EXAMPLES = int(os.environ.get("LIST_EXAMPLES", "6"))
CHATS = 170  # two pages of the list and a part of the third
# Scrolls to the end of the list, and returns the titles of all rows on the way.
TITLES = """async () => {
  const list = document.querySelector(".chat-list");
  const rendered = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  const seen = [];
  list.scrollTop = 0;
  for (let before = -1; list.scrollTop !== before;) {
    await rendered();
    for (const title of list.querySelectorAll(".chat-title")) {
      if (seen.at(-1) !== title.textContent && !seen.includes(title.textContent)) seen.push(title.textContent);
    }
    before = list.scrollTop;
    list.scrollTop += 300;
    await rendered();
  }
  return seen;
}"""


class ListMachine(RuleBasedStateMachine):
    """The server's own lists are the model."""

    def __init__(self, browser: Browser, program: Program) -> None:
        super().__init__()
        self.network = Network(int(program.url.rpartition(":")[2]))
        self.context = browser.new_context(locale="en-GB")
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        through = copy.copy(program)
        through.url = self.network.url
        self.user = User(self.page, through)
        self.device = User(self.page, program, self.user.email)  # reaches the server directly
        self.is_cut = False
        self.query = ""
        self.count = 0

    def chats(self, query: str = "") -> list[dict[str, Any]]:
        """All chats that the server lists."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.device.call("GET", f"/chats?limit=100&offset={len(found)}&q={query}")
            found += page["data"]
            if len(found) >= page["pagination"]["total"]:
                return found

    def drawn(self, data: st.DataObject) -> str:
        """Any chat, at the top or far down."""
        chat: str = data.draw(st.sampled_from(self.chats()))["id"]
        return chat

    @initialize()
    def begin(self) -> None:
        tokens = self.device.register()
        for _ in range(CHATS):
            self.create()
        self.user.open(tokens)
        expect(self.user.chats.first).to_be_visible()

    # Another device

    @rule()
    def create(self) -> None:
        self.count += 1
        kind = ("heron", "bread")[self.count % 2]
        self.device.call("POST", "/chats", {"title": f"{kind} {self.count}"})

    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        self.device.continue_chat(self.drawn(data), "Hello")

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.device.call("DELETE", f"/chats/{self.drawn(data)}")

    @rule(data=st.data(), flag=st.sampled_from(["is_pinned", "is_archived"]))
    def change(self, data: st.DataObject, flag: str) -> None:
        self.device.call("PATCH", f"/chats/{self.drawn(data)}", {flag: True})

    @rule()
    def change_back(self) -> None:
        pinned = [chat for chat in self.chats() if chat["is_pinned"]]
        for chat in pinned[:1]:
            self.device.call("PATCH", f"/chats/{chat['id']}", {"is_pinned": False})
        archived = self.device.call("GET", "/chats?archived=true")["data"]
        for chat in archived[:1]:
            self.device.call("PATCH", f"/chats/{chat['id']}", {"is_archived": False})

    # The page

    @rule(pixels=st.sampled_from([0, 2_000, 100_000]))
    def scroll(self, pixels: int) -> None:
        self.page.locator(".chat-list").evaluate("(list, to) => { list.scrollTop = to; }", pixels)

    @rule(query=st.sampled_from(["heron", "bread", ""]))
    def search(self, query: str) -> None:
        self.page.get_by_label("Search chats").fill(query)
        self.query = query

    @rule(data=st.data())
    def open(self, data: st.DataObject) -> None:
        self.page.evaluate("id => { location.hash = id; }", self.drawn(data))

    @rule()
    def cut(self) -> None:
        self.network.cut()
        self.is_cut = True

    @precondition(lambda self: self.is_cut)
    @rule()
    def restore(self) -> None:
        self.network.restore()
        self.is_cut = False
        self.page.evaluate("dispatchEvent(new Event('online'))")

    @precondition(lambda self: not self.is_cut)
    @rule()
    def reload(self) -> None:
        self.page.reload()
        self.query = ""
        expect(self.user.chats.first).to_be_visible()

    @precondition(lambda self: not self.is_cut)
    @rule()
    def look(self) -> None:
        """What is listed in the end is what the server lists."""
        self.page.get_by_label("Search chats").fill("")
        self.query = ""
        expected = [chat["title"] for chat in self.chats()]
        listed: list[str] = []
        for _ in range(100):
            retry = self.page.locator(".chat-list").get_by_role("button", name="Try again")
            if retry.is_visible():
                retry.click()
            listed = self.page.evaluate(TITLES)
            if listed == expected:
                return
        assert listed == expected

    def teardown(self) -> None:
        try:
            if self.is_cut:
                self.restore()
            self.look()
        finally:
            self.context.close()
            self.network.close()


@pytest.mark.timeout(600)
def test_the_list(browser: Browser, served: Program) -> None:
    made: Any = lambda: ListMachine(browser, served)  # noqa: E731
    run_state_machine_as_test(
        made,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
