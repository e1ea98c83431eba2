"""A failed load shows an error with one button to try again, everywhere on the page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User
from tests.program import Program

pytestmark = needs_chromium

REFUSED = '{"error": {"code": "storage_unavailable", "message": "m", "details": "d"}}'

FAULTS: dict[str, Callable[[Route], None]] = {
    "refused": lambda route: route.fulfill(
        status=503, body=REFUSED, content_type="application/json"
    ),
    "not JSON": lambda route: route.fulfill(status=200, body="<h1>Sign in to this hotel</h1>"),
    "no response": lambda route: route.abort(),
}
fault = pytest.mark.parametrize("fault", FAULTS)


def fail(user: User, path: str, fault: str) -> None:
    """Have reads of a path fail until `mend`."""
    user.page.route(
        re.compile(re.escape(f"/api/v1{path}") + r"(\?|$)"),
        lambda route: FAULTS[fault](route) if route.request.method == "GET" else route.continue_(),
    )


def retry(user: User, within: Locator | None = None) -> None:
    failed = (within or user.page).locator(".load-failed")
    expect(failed).to_contain_text("couldn’t be loaded")
    user.page.unroute_all()
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_have_count(0)


@fault
def test_a_conversation(ada: User, fault: str) -> None:
    chat = ada.chat("Hello")
    expect(ada.chats).to_have_count(1)
    fail(ada, f"/chats/{chat}/messages", fault)
    ada.chats.click()
    retry(ada)
    expect(ada.said).to_have_text(["Hello"])
    expect(ada.replies).to_have_count(1)


@fault
def test_older_messages(ada: User, fault: str) -> None:
    chat = ada.imported(120)
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.page.get_by_text("Message 120", exact=True)).to_be_visible()
    fail(ada, f"/chats/{chat}/messages", fault)
    ada.page.locator(".transcript").evaluate(
        """box => {
          box.scrollTop = 0;
          window.paced = 0;
          new MutationObserver(() => paced += box.querySelectorAll(".reply[aria-busy=true]").length)
            .observe(box, {childList: true, subtree: true, attributes: true});
        }"""
    )
    retry(ada)
    ada.page.wait_for_function(
        """() => {
          const box = document.querySelector(".transcript");
          box.scrollTop = 0;
          return [...box.querySelectorAll(".words, .prose")].some(e => e.innerText.trim() === "Message 1");
        }"""
    )
    assert ada.page.evaluate("paced") == 0  # what is old is shown at once


@fault
def test_more_chats(ada: User, fault: str) -> None:
    for number in range(60):
        ada.chat(title=f"Chat {number}")
    ada.page.reload()
    expect(ada.chats.first).to_have_text("Chat 59")
    fail(ada, "/chats", fault)
    ada.page.locator(".chat-list").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    ada.chats.last.scroll_into_view_if_needed()
    retry(ada)
    expect(ada.chats.last).to_have_text("Chat 0")


@fault
def test_a_search(ada: User, fault: str) -> None:
    ada.chat(title="A needle")
    ada.chat(title="Hay")
    expect(ada.chats).to_have_count(2)
    fail(ada, "/chats", fault)
    ada.page.get_by_label("Search chats").fill("needle")
    retry(ada)
    expect(ada.chats).to_have_text(["A needle"])


@pytest.mark.parametrize("path", ["/chats", "/users/me", "/settings/user", "/models"])
def test_what_the_page_begins_with(ada: User, path: str) -> None:
    ada.chat("Hello")
    fail(ada, path, "refused")
    ada.page.goto("about:blank")
    ada.page.goto(ada.program.url)
    with ada.page.expect_request(f"**{path}*"):
        ada.button("Try again").click()
    ada.page.unroute_all()  # it also tries again by itself
    expect(ada.chats).to_have_text(["Hello"])


def test_the_page_is_not_blank_while_it_waits(ada: User) -> None:
    held: list[Route] = []
    ada.page.route("**/api/v1/users/me", lambda route: held.append(route), times=1)
    with ada.page.expect_request("**/api/v1/users/me"):
        ada.page.reload()
    expect(ada.page.locator("main .bars")).to_be_visible()
    expect(ada.page.locator(".sidebar .bars")).to_be_visible()
    held[0].continue_()
    expect(ada.composer).to_be_visible()
    expect(ada.page.locator(".bars")).to_have_count(0)


@fault
def test_api_keys(ada: User, fault: str) -> None:
    ada.call("POST", "/users/api-key", {"name": "laptop"})
    fail(ada, "/users/api-key", fault)
    panel = ada.settings("API keys")
    retry(ada, panel)
    expect(panel.get_by_text("laptop")).to_be_visible()


@fault
def test_the_words_of_the_page(context: BrowserContext, served: Program, fault: str) -> None:
    page = context.new_page()
    words = re.compile("/languages/en.json")
    page.route(words, FAULTS[fault])
    page.goto(served.url)
    expect(page.get_by_role("alert")).to_contain_text("couldn’t be loaded")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_response_that_never_begins_is_asked_for_again(ada: User) -> None:
    chat = ada.chat("Hello")
    expect(ada.chats).to_have_count(1)
    ada.page.clock.install()
    waiting: list[Route] = []
    path = re.compile(f"/api/v1/chats/{chat}/messages")
    ada.page.route(path, lambda route: waiting.append(route), times=1)
    with ada.page.expect_request(path):
        ada.chats.click()
    with ada.page.expect_request(path):
        ada.page.clock.run_for(16_000)
    expect(ada.said).to_have_text(["Hello"])
