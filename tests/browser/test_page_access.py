"""Accessibility of the page: keyboard, small screens, screen readers, both themes."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import PASSWORD, Guard, User
from tests.program import Program

pytestmark = needs_chromium

WIDTHS = [320, 390, 768, 1280, 2560]


def check(page: Page) -> None:
    """No violation in either theme, and nothing wider than the screen."""
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{colours}: {found.generate_report()}"
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)
    assert size is not None
    page.set_viewport_size(size)


@pytest.fixture(params=[320, 1280])
def width(request: pytest.FixtureRequest) -> int:
    width: int = request.param
    return width


def test_the_entrance(context: BrowserContext, guard: Guard, served: Program, width: int) -> None:
    user = User(context.new_page(), served)
    user.page.set_viewport_size({"width": width, "height": 800})
    user.page.goto(served.url)
    expect(user.button("Sign in")).to_be_visible()
    check(user.page)
    user.button("Sign in").click()
    user.page.get_by_label("Email").fill("nobody@example.com")
    user.page.get_by_label("Password").fill("a wrong password")
    user.page.keyboard.press("Enter")
    expect(user.page.locator(".form-error")).not_to_be_empty()
    check(user.page)


def test_conversations(ada: User, width: int) -> None:
    ada.page.set_viewport_size({"width": width, "height": 800})
    check(ada.page)
    ada.say("/markdown", replies=1)
    expect(ada.replies.locator(".hljs-keyword").first).to_be_visible()
    ada.say("/error", replies=2)
    ada.say("/slow 30")
    expect(ada.button("Stop reply")).to_be_visible()
    check(ada.page)
    ada.button("Stop reply").click()
    expect(ada.replies).to_have_count(3)


def test_what_lies_above(ada: User, width: int) -> None:
    ada.page.set_viewport_size({"width": width, "height": 800})
    chat = ada.chat("Hello")
    for part in ("General", "Account", "Sessions", "Data", "API keys"):
        ada.settings(part)
        expect(ada.page.get_by_text("Loading…")).to_have_count(0)
        check(ada.page)
    ada.page.get_by_label("Key name").fill("laptop")
    ada.button("Create key").click()
    expect(ada.page.locator(".made-key code")).to_be_visible()
    check(ada.page)
    ada.close()
    ada.page.keyboard.press("Shift+Tab")  # out of the text
    ada.page.locator("body").press("?")
    expect(ada.page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    check(ada.page)
    ada.close()
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.replies).to_have_count(1)
    ada.page.locator("main").get_by_role("button", name="Actions").click()
    expect(ada.page.get_by_role("menu")).to_be_visible()
    check(ada.page)
    ada.page.get_by_role("menuitem", name="Rename").click()
    expect(ada.page.get_by_label("Title")).to_be_visible()
    check(ada.page)
    ada.close()
    if width == 320:
        ada.button("Chats").click()
        expect(ada.page.get_by_role("dialog").locator(".chat-title")).to_be_visible()
        check(ada.page)
        ada.close()


def test_administration(context: BrowserContext, served: Program, width: int) -> None:
    admin = User(context.new_page(), served, "admin@example.com")
    admin.page.set_viewport_size({"width": width, "height": 800})
    admin.open(admin.login())
    admin.settings("Server")
    expect(admin.page.get_by_label("Allow sign-ups")).to_be_visible()
    check(admin.page)
    admin.settings("Models")
    expect(admin.page.get_by_label("System prompt")).to_be_visible()
    admin.button("Add provider").click()
    check(admin.page)


def test_the_keyboard_alone(context: BrowserContext, guard: Guard, served: Program) -> None:
    user = User(context.new_page(), served)
    keyboard = user.page.keyboard
    user.register()
    user.page.goto(served.url)
    user.button("Sign in").focus()
    keyboard.press("Enter")
    user.page.get_by_label("Email").focus()
    keyboard.type(user.email)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(user.composer).to_be_focused()
    keyboard.type("Hello")
    keyboard.press("Enter")
    expect(user.replies).to_have_count(1)
    keyboard.press("Alt+n")
    expect(user.heading).to_have_text("New chat")
    expect(user.composer).to_be_focused()
    keyboard.press("Alt+ArrowDown")
    expect(user.heading).to_have_text("Hello")
    user.call("POST", "/chats", {"title": "Another"})
    expect(user.chats).to_have_text(["Another", "Hello"])
    keyboard.press("Alt+ArrowUp")
    expect(user.heading).to_have_text("Another")
    keyboard.press("Alt+ArrowDown")
    expect(user.heading).to_have_text("Hello")
    keyboard.press("Control+,")
    keyboard.press("Tab")
    tabs = user.page.get_by_role("tab")
    expect(tabs.nth(0)).to_be_focused()
    keyboard.press("ArrowDown")
    expect(tabs.nth(1)).to_be_focused()
    expect(user.page.get_by_label("Name")).to_be_visible()
    keyboard.press("End")
    expect(tabs.last).to_be_focused()
    keyboard.press("ArrowDown")
    expect(tabs.nth(0)).to_be_focused()
    keyboard.press("Escape")
    user.page.locator(".transcript").focus()
    keyboard.press("/")
    expect(user.page.get_by_label("Search chats")).to_be_focused()
    keyboard.press("Control+i")
    expect(user.composer).to_be_focused()
    actions = user.page.locator(".chat-row", has_text="Hello").get_by_role("button")
    actions.focus()
    keyboard.press("Enter")
    expect(user.page.get_by_role("menuitem").first).to_be_focused()
    keyboard.press("ArrowDown")
    expect(user.page.get_by_role("menuitem").nth(1)).to_be_focused()
    keyboard.press("Escape")
    expect(actions).to_have_attribute("aria-expanded", "false")
    expect(actions).to_be_focused()
    keyboard.press("Enter")
    expect(user.page.get_by_role("menuitem").first).to_be_focused()
    keyboard.press("Enter")
    field = user.page.get_by_label("Title")
    expect(field).to_be_focused()
    field.fill("By keys")
    keyboard.press("Enter")
    expect(user.heading).to_have_text("By keys")


def test_a_dialog_holds_the_focus_and_gives_it_back(ada: User) -> None:
    ada.account("Keyboard shortcuts")
    expect(ada.page.get_by_role("dialog")).to_be_visible()
    # A tab stop may lie on the browser's own bars, never on what the dialog covers.
    outside = "!document.activeElement.matches('body, dialog, dialog *')"
    for key in ["Tab"] * 4 + ["Shift+Tab"] * 4:
        ada.page.keyboard.press(key)
        assert ada.page.evaluate(outside) is False
    ada.close()
    expect(ada.page.locator(".user")).to_be_focused()


def test_a_question_mark_in_the_text_is_one(ada: User) -> None:
    ada.composer.press_sequentially("Why?")
    expect(ada.composer).to_have_value("Why?")
    expect(ada.page.get_by_role("dialog")).to_have_count(0)


def test_the_skip_link_and_visible_focus(ada: User) -> None:
    skip = ada.page.get_by_role("link", name="Skip to conversation")
    skip.focus()
    expect(skip).to_be_in_viewport()
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("main")).to_be_focused()
    ada.page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert ada.page.evaluate(outline) != "none"


def test_replies_are_read_out_politely(ada: User) -> None:
    ada.say("Hello", replies=1)
    log = ada.page.get_by_role("log", name="New replies")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_contain_text("Reply: ")


def test_reduced_motion(ada: User) -> None:
    blink = "getComputedStyle(document.querySelector('.writing'), '::before').animationName"
    ada.say("/slow 30")
    expect(ada.page.locator(".writing")).to_be_visible()
    assert ada.page.evaluate(blink) == "blink"
    ada.page.emulate_media(reduced_motion="reduce")
    assert ada.page.evaluate(blink) == "none"
    ada.button("Stop reply").click()
