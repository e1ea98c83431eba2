"""The sidebar, the menus, and where the composer is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def test_the_sidebar_is_hidden_and_brought_back(ada: User) -> None:
    sidebar = ada.page.locator(".sidebar")
    ada.page.keyboard.press("Control+b")
    expect(sidebar).to_have_count(0)
    ada.page.reload()  # it is remembered
    expect(ada.composer).to_be_visible()
    expect(sidebar).to_have_count(0)
    ada.button("Show sidebar").press("Enter")
    expect(sidebar).to_be_visible()
    expect(ada.button("Hide sidebar")).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.button("Show sidebar")).to_be_focused()
    ada.page.keyboard.press("/")  # the search lies in it
    expect(ada.page.get_by_role("searchbox")).to_be_focused()
    ada.page.reload()
    expect(sidebar).to_be_visible()


def test_the_menu_of_the_account_by_keyboard(ada: User) -> None:
    opener, items = ada.page.locator(".user"), ada.page.locator("[role^=menuitem]")
    press = ada.page.keyboard.press
    names = ["Settings", "Manage chats", "Keyboard shortcuts", "Theme: System", "Theme: Light"]
    names += ["Theme: Dark", "Sign out"]
    opener.focus()
    press("ArrowUp")
    expect(items).to_have_text(names)
    expect(items.last).to_be_focused()
    for key, name in [
        ("ArrowDown", "Settings"), ("ArrowUp", "Sign out"), ("Home", "Settings"), ("t", "Theme: System"),
        ("t", "Theme: Light"), ("End", "Sign out"), ("k", "Keyboard shortcuts"), ("x", "Keyboard shortcuts"),
    ]:  # fmt: skip
        press(key)
        expect(ada.page.locator(":focus")).to_have_text(name)
    press("Escape")
    expect(items).to_have_count(0)
    expect(opener).to_be_focused()
    press("ArrowDown")
    expect(items.first).to_be_focused()
    press("Tab")
    expect(items).to_have_count(0)


def test_the_theme_is_chosen_in_the_menu(ada: User) -> None:
    for name in ("Dark", "Light"):
        ada.page.locator(".user").click()
        with ada.page.expect_response("**/settings/user"):
            ada.page.get_by_role("menuitemradio", name=f"Theme: {name}").click()
        expect(ada.page.locator("html")).to_have_attribute("data-theme", name.lower())
        ada.page.locator(".user").click()
        expect(ada.page.get_by_role("menuitemradio", checked=True)).to_have_text(f"Theme: {name}")
        ada.page.keyboard.press("Escape")


def test_a_title_is_renamed_by_a_click(ada: User) -> None:
    ada.chat("Hello", title="Old")
    ada.chats.click()
    ada.heading.get_by_role("button", name="Old").click()
    ada.page.get_by_label("Title").fill("New")
    ada.page.keyboard.press("Enter")
    expect(ada.heading).to_have_text("New")
    expect(ada.page.locator(".title")).to_be_focused()


MIDDLE = "e => (e.getBoundingClientRect().top + e.getBoundingClientRect().bottom) / 2 / innerHeight"


def test_the_composer_goes_to_the_end_with_the_first_message(ada: User) -> None:
    form = ada.page.locator("form.composer")
    assert 0.35 < form.evaluate(MIDDLE) < 0.65
    ada.say("Hello", replies=1)
    expect(ada.composer).to_be_focused()
    assert form.evaluate(MIDDLE) > 0.85


@pytest.mark.parametrize("width", [1280, 390])
def test_the_composer_is_one_row_that_grows(ada: User, width: int) -> None:
    ada.page.set_viewport_size({"width": width, "height": 800})
    form = ada.page.locator("form.composer")
    expect(ada.composer).to_have_attribute(
        "placeholder",
        "Message Quillium" if width < 800 else "Message Quillium, or type / for commands",
    )
    box = form.bounding_box()
    assert box is not None
    assert 48 <= box["height"] <= 64
    ada.composer.fill("\n".join(map(str, range(40))))
    grown = form.bounding_box()
    assert grown is not None
    assert 0.38 * 800 < grown["height"] < 0.45 * 800
    for name in ("Attach files", "Send"):
        part = ada.button(name).bounding_box()
        assert part is not None
        assert grown["x"] < part["x"]
        assert part["x"] + part["width"] < grown["x"] + grown["width"]
