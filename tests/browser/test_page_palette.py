"""The command palette, by keyboard alone."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def test_chats_actions_and_models_are_found_by_typing(ada: User) -> None:
    ada.chat("Geese fly", title="Birds")
    ada.chat(title="Another")
    expect(ada.chats).to_have_count(2)
    keyboard = ada.page.keyboard
    options = ada.page.locator(".palette [role=option]")
    field = ada.page.get_by_role("combobox", name="Find a chat, an action or a model")

    keyboard.press("Control+k")
    expect(field).to_be_focused()
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert Axe().run(ada.page).response["violations"] == []
    keyboard.type("anoth")
    expect(options).to_have_count(1)
    keyboard.press("Enter")
    expect(ada.heading).to_have_text("Another")
    expect(field).to_have_count(0)

    keyboard.press("Control+k")
    expect(field).to_be_focused()
    keyboard.type("geese")  # is in a message: the server finds it
    expect(options).to_have_text(["Birds Chats"])
    keyboard.press("Enter")
    expect(ada.heading).to_have_text("Birds")
    expect(ada.said).to_have_text("Geese fly")

    keyboard.press("Control+k")
    expect(field).to_be_focused()
    keyboard.type("nothing like it")
    expect(ada.page.get_by_text("No results for")).to_be_visible()
    field.fill("demo")
    expect(options).to_have_text(["quillium-demo Model"])
    field.fill("")
    keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    keyboard.press("Enter")
    expect(ada.page.get_by_role("dialog", name="Manage chats")).to_be_visible()
    ada.close()
