"""Editing messages, their versions and deleting them, on two devices and by keyboard."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def version(user: User) -> Locator:
    return user.page.locator(".said .versions")


def test_a_message_is_edited_and_its_versions_are_kept(ada: User, phone: User) -> None:
    ada.say("One", replies=1)
    ada.say("/slow 20")
    phone.page.goto(f"{phone.program.url}/#{ada.shown}")
    expect(phone.page.locator(".reply[aria-busy=true]")).to_be_visible()
    edit = ada.button("Edit message")
    edit.first.click()
    editor = ada.page.get_by_role("textbox", name="Edit message")
    expect(editor).to_be_focused()
    expect(editor).to_have_value("One")
    editor.press("Escape")  # cancels the edit, and does not stop the reply
    expect(editor).to_have_count(0)
    expect(ada.page.locator(".reply[aria-busy=true]")).to_be_visible()

    edit.last.click()
    editor.fill("Two, edited")
    editor.press("Enter")  # stops the reply and sends in one step
    for user in (ada, phone):
        expect(user.said).to_have_text(["One", "Two, edited"])
        expect(user.replies).to_have_count(2)
        expect(version(user)).to_have_text("2/2")

    previous, following = ada.button("Previous version"), ada.button("Next version")
    expect(following).to_be_disabled()
    previous.press("Enter")
    for user in (ada, phone):
        expect(user.said).to_have_text(["One", "/slow 20"])
        expect(version(user)).to_have_text("1/2")
        expect(user.page.get_by_text("You stopped this reply.")).to_be_visible()
    expect(following).to_be_focused()  # the keyboard goes on from there
    ada.page.keyboard.press("Enter")
    expect(ada.said.last).to_have_text("Two, edited")
    ada.page.reload()
    expect(version(ada)).to_have_text("2/2")


HOLD_SELECT = """() => {
  const request = globalThis.fetch;
  globalThis.fetch = async (...options) => {
    const response = await request(...options);
    if (String(options[0]).endsWith("/select")) await new Promise(done => (globalThis.release = done));
    return response;
  };
}"""


def test_the_focus_follows_when_the_frame_is_faster_than_the_response(ada: User) -> None:
    ada.say("One", replies=1)
    ada.button("Edit message").click()
    editor = ada.page.get_by_role("textbox", name="Edit message")
    editor.fill("Two")
    editor.press("Enter")
    expect(version(ada)).to_have_text("2/2")
    ada.page.evaluate(HOLD_SELECT)
    ada.button("Previous version").press("Enter")
    expect(ada.said).to_have_text(["One"])
    expect(ada.button("Next version")).to_be_focused()
    ada.page.wait_for_function("() => globalThis.release")
    ada.page.evaluate("() => release()")
    expect(version(ada)).to_have_text("1/2")


def test_a_reply_has_versions_and_messages_are_deleted(ada: User, phone: User) -> None:
    ada.say("One", replies=1)
    phone.page.goto(f"{phone.program.url}/#{ada.shown}")
    ada.button("Regenerate").click()
    for user in (ada, phone):
        expect(user.page.locator(".reply .versions")).to_have_text("2/2")
        expect(user.replies).to_have_count(1)
    ada.button("Delete message").last.click()
    dialog = ada.page.get_by_role("dialog", name="Delete this message?")
    dialog.get_by_role("button", name="Delete message").click()
    expect(dialog).to_have_count(0)
    for user in (ada, phone):  # the other version is shown
        expect(user.page.locator(".versions")).to_have_count(0)
        expect(user.replies).to_have_count(1)
    phone.button("Delete message").first.click()
    phone.page.get_by_role("dialog").get_by_role("button", name="Delete message").click()
    for user in (ada, phone):
        expect(user.page.locator(".message")).to_have_count(0)
    ada.say("Again", replies=1)
