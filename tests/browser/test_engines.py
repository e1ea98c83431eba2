"""The page in Firefox and in WebKit; the other tests use Chromium."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.engines import PASSWORD, Visitor, browser, display, missing
from tests.browser.network import Reached, network
from tests.program import Program

numbers = itertools.count(1)


def _needed(engine: str) -> pytest.MarkDecorator:
    reason = missing(engine)
    return pytest.mark.skipif(reason != "" and not os.environ.get("CI"), reason=f"needs {reason}")


ENGINES = [pytest.param(engine, marks=_needed(engine)) for engine in ("firefox", "webkit")]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    assert missing(name) == "", "In CI nothing is skipped."
    return name


@pytest.fixture(scope="module")
def visited(engine: str, served: Program) -> Iterator[Visitor]:
    with display() as screen, browser(engine, screen, {}) as driver:
        yield Visitor(driver, served, "")


@pytest.fixture
def ada(visited: Visitor) -> Visitor:
    """Somebody with a new account, who has just opened the page."""
    visited.email = f"engine{next(numbers)}@example.com"
    visited.open()
    return visited


def test_an_account_is_created_by_the_form(visited: Visitor) -> None:
    visited.driver.get(f"{visited.program.url}/static/theme.js")
    visited.script("localStorage.clear(); sessionStorage.clear()")
    visited.driver.get(f"{visited.program.url}/")
    visited.one("input[name=email]").send_keys(f"form{next(numbers)}@example.com")
    visited.one("input[name=password]").send_keys(PASSWORD)
    visited.one("button.primary").click()
    visited.one("#composer")
    visited.say("Hello")
    visited.replies(1)
    assert "Hello" in visited.one(".reply .prose").text


def test_a_reply_is_drawn_as_markdown(ada: Visitor) -> None:
    ada.say("/markdown")
    ada.replies(1)
    for selector in (".reply table td", ".reply pre code", ".reply math", ".reply .footnote"):
        ada.one(selector)
    height = ada.script(
        "return document.querySelector('.reply math').getBoundingClientRect().height"
    )
    assert height > 5


def test_a_picture_is_dropped_sent_and_shown(ada: Visitor) -> None:
    ada.script(
        """const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [4000, 20];
        canvas.toBlob(blob => {
          const data = new DataTransfer();
          data.items.add(new File([blob], "wide.png", {type: "image/png"}));
          const options = {dataTransfer: data, bubbles: true, cancelable: true};
          document.body.dispatchEvent(new DragEvent("drop", options));
        });"""
    )
    ada.one(".composer .file img[src^='data:image/png']")
    ada.say("What is this?")
    ada.replies(1)
    ada.until(lambda: "2048 × 11 pixels" in ada.one(".reply .prose").text)  # shown at a pace
    ada.one(".said .picture img[src^='data:image/png']")


def test_a_reply_streams_and_is_stopped(ada: Visitor) -> None:
    ada.say("/slow 60")
    ada.until(lambda: ada.all(".reply[aria-busy=true]"))
    ada.press("\ue00c")  # Escape
    ada.until(lambda: ada.all(".reply .problem"))
    assert "stopped" in ada.one(".reply .problem").text


def test_messages_written_offline_are_sent_once_and_in_order(
    visited: Visitor, served: Program
) -> None:
    with network(served.url) as relay:
        reached: Any = Reached(relay.url, served.call)
        user = Visitor(visited.driver, reached, f"offline{next(numbers)}@example.com")
        user.open()
        relay.cut()
        user.until(lambda: user.all(".banner button"))
        for text in ("one", "two"):
            user.say(text)
        user.until(lambda: len(user.all(".is-waiting")) == 2)
        user.press("half a thought")
        relay.restore()
        user.script("dispatchEvent(new Event('online'))")
        user.replies(2)
        assert user.all(".is-waiting") == []
        chats = user.call("GET", "/chats")["data"]
        assert len(chats) == 1
        said = user.call("GET", f"/chats/{chats[0]['id']}/messages")["data"]
        texts = [message["content"] for message in said if message["sender"] == "user"]
        assert texts == ["one", "two"]
        assert user.one("#composer").get_attribute("value") == "half a thought"
        user.driver.get(f"{served.url}/static/theme.js")  # away from the network


def test_drafts_are_kept_per_chat_and_through_a_reload(ada: Visitor) -> None:
    ada.say("Hello")
    ada.press("for the chat")  # the focus is in the composer of the new chat
    ada.replies(1)
    assert ada.one("#composer").get_attribute("value") == "for the chat"
    ada.script("location.hash = ''")
    ada.until(lambda: ada.one("#composer").get_attribute("value") == "")
    ada.one("#composer").send_keys("for a new one")
    ada.one(".chat-row a").click()
    ada.until(lambda: ada.one("#composer").get_attribute("value") == "for the chat")
    ada.driver.refresh()
    ada.until(lambda: ada.one("#composer").get_attribute("value") == "for the chat")


def test_the_menu_of_a_chat_is_inside_the_view(ada: Visitor) -> None:
    ada.say("Hello")
    ada.replies(1)
    for opener in (".chat-row button", ".conversation-head [aria-haspopup]"):
        ada.one(opener).click()
        menu = ada.one(".menu")
        assert ada.outside(".menu") == []
        items = sum(item.size["height"] for item in ada.all(".menu button"))
        assert items <= menu.size["height"] < items + 100  # as high as its items
        ada.press("\ue00c")
        ada.until(lambda: not ada.all(".menu"))
    ada.one(".chat-row button").click()
    next(item for item in ada.all(".menu button") if "Rename" in item.text).click()
    field = ada.one("dialog input")
    field.clear()
    field.send_keys("Greetings")
    ada.one("dialog button.primary").click()
    ada.until(
        lambda: (
            ada.script("return document.querySelector('.chat-title').textContent") == "Greetings"
        )
    )


def test_notices_are_inside_the_view_and_cover_nothing(ada: Visitor) -> None:
    ada.say("Hello")
    ada.replies(1)
    ada.one(".chat-row button").click()
    next(item for item in ada.all(".menu button") if "Delete" in item.text).click()
    notice = ada.one(".notice")
    assert ada.outside(".notices") == []
    assert ada.one(".notices").size["height"] < 150
    ada.one("#composer").click()  # nothing lies over it
    next(button for button in notice.find_elements("css selector", "button") if button.text).click()
    ada.until(lambda: len(ada.all(".chat-row")) == 1)


def test_a_notice_that_came_before_a_dialog_lies_over_it(ada: Visitor) -> None:
    ada.say("Hello")
    ada.replies(1)
    ada.one(".chat-row button").click()
    next(item for item in ada.all(".menu button") if "Delete" in item.text).click()
    ada.one(".notice")
    ada.one(".user-bar .user").click()
    ada.one(".menu button").click()
    ada.one("dialog.settings")
    assert ada.outside("dialog", "header button, [role=tab]") == []
    ada.one(".notice button").click()  # Undo
    ada.until(lambda: len(ada.all(".chat-row")) == 1)


def test_a_long_chat_opens_at_its_end_and_loads_older_messages(ada: Visitor) -> None:
    messages = [
        {"content": f"Message {number}", "sender": sender, "timestamp": "2026-01-01T00:00:00.000Z"}
        for number, sender in zip(range(1, 301), itertools.cycle(["user", "assistant"]))
    ]
    body = {
        "format": "quillium-chat", "version": 1,
        "chat": {"title": "Long", "model": "quillium-demo"}, "messages": messages,
    }  # fmt: skip
    chat = ada.call("POST", "/chats/import", body)["id"]
    ada.driver.get(f"{ada.program.url}/#{chat}")
    ada.until(lambda: "Message 300" in ada.one(".transcript").text)
    distance = "const b = document.querySelector('.transcript'); return b.scrollHeight - b.scrollTop - b.clientHeight"
    ada.until(lambda: ada.script(distance) < 5)
    seen: set[str] = set()

    def scrolled() -> bool:
        ada.script("document.querySelector('.transcript').scrollTop -= 1500")
        seen.update(
            ada.script(
                "return [...document.querySelectorAll('.words, .prose')].map(e => e.textContent.trim())"
            )
        )
        return "Message 1" in seen

    ada.until(scrolled)
    ada.one(".to-end button").click()
    ada.until(lambda: ada.script(distance) < 5)


def test_search_and_settings(ada: Visitor) -> None:
    ada.say("Hello")
    ada.replies(1)
    ada.one("#search").send_keys("nothing like this")
    ada.until(lambda: not ada.all(".chat-row"))
    ada.one("#search").clear()
    ada.one("#search").send_keys("Hello")
    ada.until(lambda: len(ada.all(".chat-row")) == 1)
    ada.one(".user-bar .user").click()
    ada.one(".menu button").click()
    for tab in ada.all("[role=tab]"):
        tab.click()
        assert ada.outside("dialog", "header button, [role=tab]") == []
    picker = ada.script(
        "return getComputedStyle(document.querySelector('dialog select') ?? document.querySelector('select')).appearance"
    )
    assert picker == "none"  # or WebKitGTK draws a grey box


@pytest.mark.parametrize("engine", [ENGINES[0]], indirect=True)
def test_a_browser_that_refuses_to_store(engine: str, served: Program) -> None:
    """Firefox, with all cookies and site data refused."""
    refused = {"network.cookie.cookieBehavior": 2}
    with display() as screen, browser(engine, screen, refused) as driver:
        visitor = Visitor(driver, served, "")
        driver.get(served.url)
        visitor.one("input[name=email]").send_keys(f"refused{next(numbers)}@example.com")
        visitor.one("input[name=password]").send_keys(PASSWORD)
        visitor.one("button.primary").click()
        visitor.say("Hello")
        visitor.replies(1)
