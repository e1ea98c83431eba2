"""What `/` offers in the composer: commands, presets and actions, by keyboard alone."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def options(user: User) -> Locator:
    return user.page.locator(".composer [role=option]")


def test_commands_are_completed_and_sent(ada: User) -> None:
    keyboard = ada.page.keyboard
    ada.composer.press("/")
    expect(options(ada)).to_have_count(9)
    expect(options(ada).first).to_have_text("/help Lists the commands")
    expect(options(ada).first).to_have_attribute("aria-selected", "true")
    active = options(ada).first.get_attribute("id")
    assert ada.composer.get_attribute("aria-activedescendant") == active
    assert Axe().run(ada.page).response["violations"] == []
    keyboard.press("ArrowUp")
    expect(options(ada).last).to_have_attribute("aria-selected", "true")
    keyboard.type("lo")
    expect(options(ada)).to_have_text(["/lorem Words of Latin, such as /lorem 200"])
    keyboard.press("Tab")
    expect(ada.composer).to_have_value("/lorem")
    expect(ada.composer).to_be_focused()
    expect(options(ada)).to_have_count(0)
    keyboard.type(" 3")
    keyboard.press("Enter")
    expect(ada.replies).to_have_count(1)
    expect(ada.said).to_have_text("/lorem 3")


def test_a_command_that_is_typed_is_sent_at_once(ada: User) -> None:
    ada.say("/help", replies=1)
    expect(ada.said).to_have_text("/help")


def test_escape_leaves_the_text(ada: User) -> None:
    keyboard = ada.page.keyboard
    ada.composer.press("/")
    keyboard.press("Escape")
    expect(options(ada)).to_have_count(0)
    keyboard.type("he")
    expect(options(ada)).to_have_count(0)
    keyboard.press("Enter")
    expect(ada.said).to_have_text("/he")
    expect(ada.replies).to_have_count(1)
    for text in ("/usr/bin is a folder", "/ ", "a/help", "1\n/help"):
        ada.composer.fill(text)
        expect(options(ada)).to_have_count(0)
    ada.composer.fill("/")  # it offers again
    expect(options(ada)).not_to_have_count(0)


def test_actions_and_presets(ada: User) -> None:
    preset: dict[str, Any] = {
        "name": "Pirate",
        "model": None,
        "system_prompt": "Say arr.",
        "parameters": {},
    }
    ada.call("PUT", "/settings/user", {"presets": [preset]})
    chat = ada.chat("Hello", title="Ships")
    ada.page.goto(f"{ada.program.url}/#{chat}")
    ada.page.reload()
    expect(ada.heading).to_have_text("Ships")
    ada.composer.fill("/pir")
    expect(options(ada)).to_have_text(["Pirate Presets"])
    options(ada).click()
    expect(ada.composer).to_have_value("")
    expect(ada.composer).to_be_focused()
    with ada.page.expect_response(f"**/chats/{chat}") as changed:
        ada.composer.fill("/pirate")
        ada.composer.press("Enter")
    assert changed.value.json()["system_prompt"] == "Say arr."
    ada.composer.fill("/settings")
    ada.composer.press("Enter")
    expect(ada.page.get_by_role("dialog", name="Settings")).to_be_visible()
    ada.close()
    expect(ada.composer).to_have_value("")
    ada.composer.fill("/new")
    ada.composer.press("Enter")
    expect(ada.heading).to_have_text("New chat")
    ada.composer.fill("/pirate")
    ada.composer.press("Enter")
    ada.say("Ahoy", replies=1)
    assert ada.call("GET", f"/chats/{ada.shown}")["system_prompt"] == "Say arr."


def test_the_list_is_inside_the_view(phone: User) -> None:
    phone.page.set_viewport_size({"width": 320, "height": 480})
    phone.composer.fill("/")
    for option in (options(phone).first, options(phone).last):
        option.scroll_into_view_if_needed()
        expect(option).to_be_in_viewport(ratio=1)
    options(phone).first.click()
    expect(phone.composer).to_have_value("/help")
