"""Two devices of one user stay in sync, also after a broken connection."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import Guard, Server, User

pytestmark = needs_chromium


def test_two_devices_show_the_same(ada: User, phone: User) -> None:
    ada.say("/slow 30")
    chat = ada.shown
    phone.page.goto(f"{phone.program.url}/#{chat}")
    writing = phone.page.locator(".reply[aria-busy=true] .prose")
    expect(writing).to_contain_text("This is a slow reply")  # from its beginning
    expect(writing).to_contain_text(re.compile("second|word|slow"))
    phone.button("Stop reply").click()
    expect(ada.page.get_by_text("You stopped this reply.")).to_be_visible()
    for user in (ada, phone):  # the text is shown at a pace, until its end
        expect(user.page.locator(".reply[aria-busy=false]")).to_have_count(1)
    stored = ada.call("GET", f"/chats/{chat}")["last_message"]["content"]
    for user in (ada, phone):
        expect(user.replies.locator(".prose")).to_have_text(stored)

    phone.composer.press_sequentially("Hel")
    expect(ada.page.get_by_text("You’re typing on another device…")).to_be_visible()
    phone.composer.press_sequentially("lo")
    phone.composer.press("Enter")
    expect(ada.said.last).to_have_text("Hello")
    expect(ada.replies).to_have_count(2)
    expect(ada.page.get_by_text("You’re typing on another device…")).to_have_count(0)


def test_two_devices_list_the_same(ada: User, phone: User) -> None:
    chat = ada.chat("Hello")
    phone.button("Chats").click()
    drawer = phone.page.locator("dialog")
    for user in (ada, phone):
        expect(user.chats).to_have_text(["Hello"])
        expect(user.page.locator(".badge")).to_have_text("1")
    ada.chats.click()  # reads it
    for user in (ada, phone):
        expect(user.page.locator(".badge")).to_have_count(0)
    ada.choose("Hello", "Rename")
    ada.page.get_by_label("Title").fill("Renamed")
    ada.page.keyboard.press("Enter")
    expect(phone.chats).to_have_text(["Renamed"])
    phone.chats.click()
    expect(drawer).to_have_count(0)
    expect(phone.heading).to_have_text("Renamed")
    ada.call("DELETE", f"/chats/{chat}")
    for user in (ada, phone):
        expect(user.heading).to_have_text("New chat")
    expect(ada.chats).to_have_count(0)


def test_what_was_listed_counts_once(ada: User) -> None:
    chat = ada.chat("Hello")

    def late(route: Route) -> None:
        """What is said while the page lists its chats is in the list, and told by the socket."""
        ada.continue_chat(chat, "Thanks")
        route.continue_()

    ada.page.route("**/api/v1/chats?*", late, times=1)
    ada.page.reload()
    badge = ada.page.locator(".badge")
    expect(badge).to_have_text("2")
    ada.continue_chat(chat, "Thanks again")
    expect(badge).to_have_text("3")


@pytest.fixture
def bea(context: BrowserContext, server: Server) -> Iterator[User]:
    """The user of a server that will be killed."""
    guard = Guard(context, server.program.url)
    user = User(context.new_page(), server.program)
    tokens = user.register()
    user.call("PUT", "/settings/admin", {"rate_limit_per_minute": 0})
    user.open(tokens)
    yield user
    assert guard.noticed == []


def contents(user: User, chat: str) -> list[str]:
    """What the user has said, as the server has it."""
    listed = user.call("GET", f"/chats/{chat}/messages?limit=100")["data"]
    return [message["content"] for message in listed if message["sender"] == "user"]


def test_a_server_that_goes_down_in_the_middle_of_a_reply(bea: User, server: Server) -> None:
    bea.say("/slow 60")
    writing = bea.page.locator(".reply[aria-busy=true] .prose")
    expect(writing).to_contain_text("This is a slow reply")
    chat = bea.shown
    server.kill()
    banner = bea.page.get_by_text("Can’t reach the server. You can keep writing")
    expect(banner).to_be_visible()
    for number in (1, 2):
        bea.say(f"said to nobody {number}")
    expect(bea.page.locator(".is-waiting .words")).to_have_text(
        ["said to nobody 1", "said to nobody 2"]
    )
    expect(bea.page.get_by_text("2 messages waiting to be sent")).to_be_visible()
    bea.composer.fill("half a thou")
    server.start()
    bea.page.evaluate("dispatchEvent(new Event('online'))")
    expect(bea.replies).to_have_count(3)
    expect(banner).to_have_count(0)
    expect(
        bea.page.get_by_text("The server restarted before this reply was finished")
    ).to_be_visible()
    expect(bea.page.locator(".is-waiting")).to_have_count(0)
    expect(bea.said).to_have_text(["/slow 60", "said to nobody 1", "said to nobody 2"])
    assert contents(bea, chat) == ["/slow 60", "said to nobody 1", "said to nobody 2"]
    expect(bea.composer).to_have_value("half a thou")


def test_an_interrupted_reply_is_tried_again(bea: User, server: Server) -> None:
    bea.say("/slow 60")
    expect(bea.page.locator(".reply[aria-busy=true] .prose")).to_contain_text("This is")
    server.kill()
    server.start()  # soon enough: the page says nothing of it
    bea.button("Try again").click()
    expect(bea.page.get_by_text("The server restarted")).to_have_count(0)
    expect(bea.page.locator(".reply[aria-busy=true]")).to_have_count(1)
    bea.button("Stop reply").click()
    expect(bea.replies).to_have_count(1)


def test_the_first_message_of_a_chat_waits_too(bea: User, server: Server) -> None:
    server.kill()
    expect(bea.page.get_by_text("Can’t reach the server. You can keep writing")).to_be_visible()
    bea.say("Hello")
    expect(bea.page.locator(".is-waiting .words")).to_have_text("Hello")
    server.start()
    bea.page.evaluate("dispatchEvent(new Event('online'))")
    expect(bea.replies).to_have_count(1)
    expect(bea.chats).to_have_text(["Hello"])
    assert bea.call("GET", "/chats")["pagination"]["total"] == 1


def test_trying_now_does_not_wait_for_the_next_attempt(bea: User, server: Server) -> None:
    bea.page.clock.install()
    server.kill()
    expect(bea.button("Reconnect now")).to_be_visible()
    bea.page.clock.pause_at(time.time() + 60)  # no attempt comes by itself any more
    with bea.page.expect_websocket():
        bea.button("Reconnect now").click()


def test_what_waits_outlives_the_tab_being_loaded_anew(bea: User, server: Server) -> None:
    chat = bea.chat("Hello")
    bea.page.goto(f"{bea.program.url}/#{chat}")
    expect(bea.replies).to_have_count(1)
    server.kill()
    bea.say("Thanks")
    expect(bea.page.locator(".is-waiting")).to_have_count(1)
    bea.page.goto("about:blank")
    server.start()
    bea.page.goto(f"{bea.program.url}/#{chat}")
    expect(bea.replies).to_have_count(2)
    assert contents(bea, chat) == ["Hello", "Thanks"]


def test_a_chat_that_is_deleted_meanwhile_gives_back_what_was_said(
    bea: User, server: Server
) -> None:
    chat = bea.chat("Hello")
    bea.page.goto(f"{bea.program.url}/#{chat}")
    expect(bea.replies).to_have_count(1)
    server.kill()
    bea.say("A long thought")
    bea.page.goto("about:blank")
    server.start()
    bea.call("DELETE", f"/chats/{chat}")
    bea.page.goto(f"{bea.program.url}/#{chat}")
    expect(bea.heading).to_have_text("New chat")
    expect(bea.composer).to_have_value("A long thought")


def test_a_rate_limit_is_said_and_loses_nothing(browser: Browser, bea: User) -> None:
    kim = User(browser.new_context(locale="en-GB").new_page(), bea.program)
    kim.page.clock.install()
    kim.open(kim.register())
    chat = kim.chat("Hello")
    kim.page.goto(f"{kim.program.url}/#{chat}")
    expect(kim.replies).to_have_count(1)
    bea.call("PUT", "/settings/admin", {"rate_limit_per_minute": 3})
    expected = [f"number {number}" for number in range(7)]
    for text in expected:
        kim.say(text)
    expect(kim.page.get_by_text("You’ve reached the rate limit")).to_be_visible()
    expect(kim.page.locator(".is-waiting").last).to_be_visible()
    bea.call("PUT", "/settings/admin", {"rate_limit_per_minute": 0})
    kim.page.clock.fast_forward(6_000)
    expect(kim.page.locator(".is-waiting")).to_have_count(0)
    expect(kim.page.get_by_text("You’ve reached the rate limit")).to_have_count(0)
    assert contents(kim, chat) == ["Hello", *expected]
    kim.page.context.close()
