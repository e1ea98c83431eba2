"""Shortcuts on all keyboard layouts and input methods, and focus management."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import PASSWORD, User
from tests.program import Program

pytestmark = needs_chromium

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15"
ALTGR = {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}

# What types a character; the page must leave it alone.
TYPED: dict[str, dict[str, Any]] = {
    "AltGr+N, Polish": {"key": "ń", "code": "KeyN", **ALTGR},
    "AltGr+N, Linux": {"key": "n", "code": "KeyN", "altKey": True, "modifierAltGraph": True},
    "AltGr+K": {"key": "ĸ", "code": "KeyK", **ALTGR},
    "AltGr+I": {"key": "→", "code": "KeyI", **ALTGR},
    "AltGr+comma": {"key": ",", "code": "Comma", **ALTGR},
    "AltGr+question mark": {"key": "?", "code": "Minus", **ALTGR},
    "AltGr+down": {"key": "ArrowDown", "code": "ArrowDown", **ALTGR},
    "a dead tilde": {"key": "Dead", "code": "KeyN", "altKey": True},
    "a character by Alt": {"key": "˜", "code": "KeyN", "altKey": True},
    "another letter in the place of N": {"key": "b", "code": "KeyN", "altKey": True},
    "while composing": {"key": "k", "code": "KeyK", "ctrlKey": True, "isComposing": True},
    "as Safari ends a composition": {"key": "k", "code": "KeyK", "ctrlKey": True, "keyCode": 229},
}
ON_A_MAC: dict[str, dict[str, Any]] = {
    "Option+N": {"key": "n", "code": "KeyN", "altKey": True},
    "Option+down": {"key": "ArrowDown", "code": "ArrowDown", "altKey": True},
    "Ctrl+K deletes to the end": {"key": "k", "code": "KeyK", "ctrlKey": True},
    "selecting in a text": {
        "key": "ArrowDown",
        "code": "ArrowDown",
        "metaKey": True,
        "shiftKey": True,
    },
}
SHORTCUTS: dict[str, dict[str, Any]] = {
    "Alt+N": {"key": "n", "code": "KeyN", "altKey": True},
    "Alt+N, Cyrillic": {"key": "т", "code": "KeyN", "altKey": True},
    "Ctrl+K": {"key": "k", "code": "KeyK", "ctrlKey": True},
    "Ctrl+K where Dvorak has it": {"key": "k", "code": "KeyV", "ctrlKey": True},
    "Ctrl+I": {"key": "i", "code": "KeyI", "ctrlKey": True},
}

PRESS = """
(element, key) => {
  const event = new KeyboardEvent("keydown", {...key, bubbles: true, cancelable: true});
  element.dispatchEvent(event);
  return event.defaultPrevented;
}
"""


def is_taken(user: User, key: dict[str, Any]) -> bool:
    taken: bool = user.composer.evaluate(PRESS, key)
    return taken


def test_what_types_a_character_is_no_shortcut(ada: User) -> None:
    for name, key in TYPED.items():
        assert not is_taken(ada, key), name
    for name, key in SHORTCUTS.items():
        assert is_taken(ada, key), name
        if "Ctrl+K" in name:
            ada.close()  # the palette, over which no shortcut holds


def test_option_is_no_shortcut_on_a_mac(browser: Browser, served: Program) -> None:
    with browser.new_context(user_agent=MAC) as context:
        user = User(context.new_page(), served)
        user.open(user.register())
        for name, key in (TYPED | ON_A_MAC).items():
            assert not is_taken(user, key), name
        assert is_taken(user, {"key": "O", "code": "KeyO", "metaKey": True, "shiftKey": True})
        assert is_taken(user, {"key": "k", "code": "KeyK", "metaKey": True})


@pytest.mark.parametrize("end", [{"isComposing": True}, {"keyCode": 229}], ids=["Chrome", "Safari"])
def test_enter_that_ends_a_composition_sends_nothing(ada: User, end: dict[str, Any]) -> None:
    ada.composer.fill("日本")
    assert not is_taken(ada, {"key": "Enter", "code": "Enter", **end})
    expect(ada.composer).to_have_value("日本")
    expect(ada.said).to_have_count(0)


def test_enter_on_a_touch_keyboard_begins_a_line(browser: Browser, served: Program) -> None:
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
    with browser.new_context(locale="en-GB", **phone) as context:  # type: ignore[arg-type]
        user = User(context.new_page(), served)
        user.open(user.register())
        expect(user.composer).to_have_attribute("enterkeyhint", "enter")
        user.composer.fill("one")
        user.composer.press("Enter")
        user.composer.press_sequentially("two")
        expect(user.composer).to_have_value("one\ntwo")
        user.composer.press("Control+Enter")  # a keyboard that is connected to it
        expect(user.said).to_have_text(["one\ntwo"])


@pytest.mark.parametrize("is_touch", [False, True])
def test_keys_right_after_the_first_message(
    browser: Browser, served: Program, is_touch: bool
) -> None:
    """The composer of the chat has the focus before the next key can come."""
    device = {"has_touch": True, "is_mobile": True} if is_touch else {}
    with browser.new_context(locale="en-GB", **device) as context:  # type: ignore[arg-type]
        user = User(context.new_page(), served)
        user.open(user.register())
        user.composer.fill("one")
        assert (
            user.composer.evaluate(
                """async composer => {
              composer.focus();
              const [key, bubbles, cancelable] = ["Enter", true, true];
              composer.dispatchEvent(new KeyboardEvent("keydown", {key, ctrlKey: true, bubbles, cancelable}));
              for (let turn = 0; turn < 5; turn++) await Promise.resolve(); // no other event comes between
              return document.activeElement.id;
            }"""
            )
            == "composer"
        )
        user.page.keyboard.type("two")
        expect(user.composer).to_have_value("two")
        expect(user.replies).to_have_count(1)
        expect(user.composer).to_be_focused()


@pytest.mark.parametrize("place", ["#search", "body", ".transcript", "#composer"])
def test_escape_stops_a_reply_from_anywhere(ada: User, place: str) -> None:
    ada.say("/slow 60")
    expect(ada.page.locator(".reply[aria-busy=true]")).to_contain_text("This is")
    ada.page.evaluate("document.activeElement.blur()")
    if place != "body":
        ada.page.locator(place).focus()
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_text("You stopped this reply")).to_be_visible()


def test_escape_closes_what_is_open_first(ada: User) -> None:
    ada.say("/slow 60")
    writing = ada.page.locator(".reply[aria-busy=true]")
    expect(writing).to_contain_text("This is")
    ada.settings()
    ada.page.keyboard.press("Escape")
    expect(ada.page.locator("dialog")).to_have_count(0)
    expect(writing).to_have_count(1)
    ada.page.keyboard.press("Escape")
    expect(writing).to_have_count(0)


def test_alt_down_opens_a_list(ada: User) -> None:
    chats = [ada.chat("one"), ada.chat("two")]
    ada.page.goto(f"{ada.program.url}/#{chats[1]}")
    expect(ada.replies).to_have_count(1)
    select = ada.page.locator(".model-picker select")
    down = {"key": "ArrowDown", "code": "ArrowDown", "altKey": True}
    if select.count():
        assert not select.evaluate(PRESS, down)
    assert ada.shown == chats[1]
    assert ada.composer.evaluate(PRESS, down)
    expect(ada.heading).to_have_text("one")


def focused(user: User) -> str:
    tag: str = user.page.evaluate("document.activeElement.tagName")
    return tag


def has_focus(user: User) -> None:
    """Something has the focus, and goes on having it once everything is drawn."""
    user.page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    expect(user.page.locator(":focus")).to_have_count(1)
    assert focused(user) != "BODY"


def press(user: User, button: Locator) -> None:
    button.focus()
    user.page.keyboard.press("Enter")


def test_the_focus_stays_when_a_reply_is_stopped_and_tried_again(ada: User) -> None:
    ada.say("/slow 60")
    press(ada, ada.button("Stop").first)
    expect(ada.page.get_by_text("You stopped this reply")).to_be_visible()
    has_focus(ada)
    press(ada, ada.button("Try again").first)
    expect(ada.page.locator(".reply[aria-busy=true]")).to_have_count(1)
    has_focus(ada)


def test_the_focus_stays_when_a_chat_is_deleted(ada: User) -> None:
    ada.chat("one")
    ada.chat("two")
    expect(ada.chats).to_have_count(2)
    ada.choose("one", "Delete")
    expect(ada.chats).to_have_text(["two"])
    has_focus(ada)
    press(ada, ada.page.locator(".notice button").first)  # undo
    expect(ada.chats).to_have_count(2)
    has_focus(ada)


def test_the_focus_stays_when_a_notice_is_closed(ada: User) -> None:
    ada.chat("one")
    expect(ada.chats).to_have_count(1)
    ada.choose("one", "Delete")
    press(ada, ada.page.locator(".notice button").last)
    expect(ada.page.locator(".notice")).to_have_count(0)
    has_focus(ada)


def test_the_focus_stays_in_the_dialog_when_a_key_is_revoked(ada: User) -> None:
    for name in ("laptop", "phone"):
        ada.call("POST", "/users/api-key", {"name": name})
    panel = ada.settings("API keys")
    for left in (1, 0):
        press(ada, panel.get_by_role("button", name="Revoke").first)
        expect(panel.get_by_role("button", name="Revoke")).to_have_count(left)
        has_focus(ada)
        assert ada.page.evaluate("document.activeElement.closest('dialog') !== null")


def test_the_focus_stays_when_a_load_is_tried_again(ada: User) -> None:
    chat = ada.chat("Hello")
    expect(ada.chats).to_have_count(1)
    ada.page.route(f"**/chats/{chat}/messages*", lambda route: route.abort())
    ada.chats.click()
    expect(ada.page.locator(".load-failed")).to_be_visible()
    ada.page.unroute_all()
    press(ada, ada.page.locator(".load-failed button"))
    expect(ada.replies).to_have_count(1)
    has_focus(ada)


def test_the_focus_stays_when_somebody_signs_out_and_in(ada: User) -> None:
    press(ada, ada.page.locator(".user"))
    press(ada, ada.page.get_by_role("menuitem", name="Sign out"))
    expect(ada.page.get_by_label("Password")).to_be_visible()
    has_focus(ada)
    ada.page.reload()
    ada.page.evaluate("localStorage.setItem('quillium-known', 'yes')")
    ada.page.reload()
    ada.page.get_by_label(re.compile("E-?mail")).fill(ada.email)
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.keyboard.press("Enter")
    expect(ada.composer).to_be_visible()
    has_focus(ada)
