"""The instructions of a chat, and presets made of them."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def test_instructions_are_kept_and_become_a_preset(ada: User) -> None:
    chat = ada.chat(title="Goose")
    ada.choose("Goose", "Instructions")
    dialog = ada.page.get_by_role("dialog", name="Instructions")
    prompt = dialog.get_by_label("System prompt")
    expect(prompt).to_be_focused()
    prompt.fill("Answer in one sentence.")
    dialog.get_by_label("Temperature").fill("0.5")
    dialog.get_by_label("Reasoning effort").select_option("low")
    dialog.get_by_label("Save as a preset for new chats").check()
    dialog.get_by_label("Preset name").fill("Short")
    assert Axe().run(ada.page).response["violations"] == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    wanted = {"temperature": 0.5, "reasoning_effort": "low"}
    stored = ada.call("GET", f"/chats/{chat}")
    assert (stored["system_prompt"], stored["parameters"]) == ("Answer in one sentence.", wanted)

    ada.page.reload()
    picker = ada.page.get_by_role("combobox", name="Model")
    picker.select_option("Short")
    ada.say("Hello", replies=1)
    begun = ada.call("GET", f"/chats/{ada.shown}")
    assert (begun["system_prompt"], begun["parameters"]) == ("Answer in one sentence.", wanted)
    assert begun["model"] == stored["model"]

    ada.settings().get_by_role("button", name="Remove “Short”").click()
    expect(ada.page.get_by_role("button", name="Remove “Short”")).to_have_count(0)
    assert ada.call("GET", "/settings/user")["presets"] == []
