"""The order of chats: pinned, archived, grouped by date, and several managed at once."""

from __future__ import annotations

import json
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def test_chats_are_pinned_and_archived(ada: User, phone: User) -> None:
    for title in ("Goose", "Swan", "Duck"):
        ada.chat(title=title)
    expect(ada.chats).to_have_text(["Duck", "Swan", "Goose"])
    groups = ada.page.locator(".chat-group")
    expect(groups).to_have_text(["Today"])
    ada.choose("Goose", "Pin")
    expect(ada.chats).to_have_text(["Goose", "Duck", "Swan"])
    expect(groups).to_have_text(["Pinned", "Today"])
    ada.choose("Duck", "Archive")
    expect(ada.chats).to_have_text(["Goose", "Swan"])
    ada.page.reload()
    expect(ada.chats).to_have_text(["Goose", "Swan"])
    phone.button("Chats").click()
    expect(phone.chats).to_have_text(["Goose", "Swan"])
    ada.choose("Goose", "Unpin")
    for user in (ada, phone):
        expect(user.chats).to_have_text(["Swan", "Goose"])
    ada.page.locator("#search").fill("duck")
    expect(ada.chats).to_have_text(["Duck"])  # a search finds archived chats, too
    ada.choose("Duck", "Unarchive")
    ada.page.locator("#search").fill("")
    for user in (ada, phone):
        expect(user.chats).to_have_text(["Duck", "Swan", "Goose"])


def test_several_chats_are_managed_at_once(ada: User, tmp_path: Path) -> None:
    for title in ("Goose", "Swan", "Duck"):
        ada.chat("Hello", title=title)
    ada.account("Manage chats")
    dialog = ada.page.get_by_role("dialog", name="Manage chats")
    items = dialog.locator(".manage-list li")
    expect(items).to_have_count(3)
    assert Axe().run(ada.page).response["violations"] == []
    dialog.get_by_role("checkbox", name="Goose").press("Space")  # by keyboard
    dialog.get_by_role("checkbox", name="Swan").press("Space")
    with ada.page.expect_download() as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    file = tmp_path / "chats.ndjson"
    download.value.save_as(file)
    titles = [json.loads(line)["chat"]["title"] for line in file.read_text().splitlines()]
    assert sorted(titles) == ["Goose", "Swan"]
    dialog.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete 2 chats").click()
    expect(items).to_have_count(1)
    dialog.get_by_label("Select all (1)").click()
    dialog.get_by_role("button", name="Archive", exact=True).click()
    expect(items).to_have_count(0)
    dialog.get_by_label("Show archived chats").click()
    expect(items).to_have_count(1)
    ada.close()
    expect(ada.chats).to_have_count(0)

    ada.settings("Data")
    ada.page.locator("input[type=file]").last.set_input_files(file)
    ada.page.keyboard.press("Escape")
    expect(ada.chats).to_have_text(["Swan", "Goose"])
