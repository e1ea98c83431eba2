"""The list of chats: search, unread marks, rename, delete with undo, export, import."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_first_message_makes_a_chat(ada: User) -> None:
    expect(ada.page.get_by_text("No chats yet.")).to_be_visible()
    ada.button("/help").click()  # one of the suggestions
    expect(ada.replies).to_have_count(1)
    expect(ada.chats).to_have_text(["/help"])
    expect(ada.heading).to_have_text("/help")
    expect(ada.page).to_have_title("/help – Quillium")
    chat = ada.call("GET", "/chats")["data"][0]["id"]
    assert ada.page.url.endswith(f"#{chat}")
    ada.page.reload()
    expect(ada.replies).to_have_count(1)
    ada.button("New chat").click()
    expect(ada.page.get_by_text("What can I help with")).to_be_visible()
    ada.page.go_back()
    expect(ada.heading).to_have_text("/help")


def test_chats_stand_in_the_order_of_what_was_said_last(ada: User) -> None:
    one = ada.chat("First")
    ada.chat("Second")
    expect(ada.chats).to_have_text(["Second", "First"])
    ada.page.goto(f"{ada.program.url}/#{one}")
    ada.say("More", replies=2)
    expect(ada.chats).to_have_text(["First", "Second"])


def test_search(ada: User) -> None:
    ada.chat("The heron stands in the reeds")
    ada.chat("Tea and bread")
    search = ada.page.get_by_label("Search chats")
    search.fill("HERON")
    expect(ada.chats).to_have_text(["The heron stands in the reeds"])
    search.fill("nothing like it")
    expect(ada.page.get_by_text("No results for")).to_be_visible()
    search.fill("")
    expect(ada.chats).to_have_count(2)
    search.fill("bread")
    expect(ada.chats).to_have_count(1)
    ada.chats.click()
    expect(ada.heading).to_have_text("Tea and bread")


def test_more_chats_than_one_page(ada: User) -> None:
    for number in range(55):
        ada.call("POST", "/chats", {"title": f"Chat {number}"})
    ada.page.reload()
    expect(ada.chats).to_have_count(50)
    ada.chats.nth(49).scroll_into_view_if_needed()
    expect(ada.chats).to_have_count(55)
    expect(ada.chats.nth(54)).to_have_text("Chat 0")
    expect(ada.button("Load more chats")).to_have_count(0)


def test_unread_replies_are_marked(ada: User) -> None:
    ada.chat("Hello", "Are you there?")
    badge = ada.page.locator(".chat-row .badge")
    expect(badge).to_have_text("2")
    expect(ada.page.get_by_text("2 unread replies")).to_have_count(1)
    expect(ada.page).to_have_title("(2) Quillium")
    ada.chats.click()
    expect(badge).to_have_count(0)
    ada.say("Here I am", replies=3)
    expect(badge).to_have_count(0)
    chat = ada.call("GET", "/chats")["data"][0]
    assert chat["unread_count"] == 0


def test_rename(ada: User) -> None:
    ada.chat("Hello")
    ada.choose("Hello", "Rename")
    field = ada.page.get_by_label("Title")
    expect(field).to_have_value("Hello")
    expect(field).to_be_focused()
    field.fill("  Greetings  ")
    field.press("Enter")
    expect(ada.chats).to_have_text(["Greetings"])
    expect(ada.page.locator("dialog")).to_have_count(0)
    assert ada.call("GET", "/chats")["data"][0]["title"] == "Greetings"


def test_delete_and_undo(ada: User) -> None:
    chat = ada.chat("Hello")
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.replies).to_have_count(1)
    ada.choose("Hello", "Delete")
    expect(ada.chats).to_have_count(0)
    expect(ada.page.get_by_text("What can I help with")).to_be_visible()
    ada.button("Undo").click()
    expect(ada.chats).to_have_text(["Hello"])
    expect(ada.heading).to_have_text("Hello")
    ada.choose("Hello", "Delete")
    with ada.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        ada.page.locator(".notice").get_by_role("button", name="Close").click()
    assert ada.call("GET", "/chats")["data"] == []


def test_what_was_deleted_is_when_the_page_is_left(ada: User) -> None:
    ada.chat("Hello")
    ada.choose("Hello", "Delete")
    expect(ada.chats).to_have_count(0)
    ada.page.reload()
    expect(ada.page.get_by_text("No chats yet.")).to_be_visible()
    ada.chat("Again")
    ada.choose("Again", "Delete")
    ada.account("Sign out")
    expect(ada.button("Sign in")).to_be_visible()
    ada.login()
    assert ada.call("GET", "/chats")["data"] == []


def test_export_and_import(ada: User, tmp_path: Path) -> None:
    ada.chat("Hello / there: you?")
    with ada.page.expect_download() as markdown:
        ada.choose("Hello", "Export as Markdown")
    assert markdown.value.suggested_filename == "Hello there you.md"
    assert "Hello / there: you?" in Path(markdown.value.path()).read_text()
    with ada.page.expect_download() as exported:
        ada.choose("Hello", "Export as JSON")
    assert exported.value.suggested_filename == "Hello there you.json"
    file = tmp_path / "chat.json"
    exported.value.save_as(file)
    assert json.loads(file.read_text())["format"] == "quillium-chat"

    bring(ada, file)
    expect(ada.chats).to_have_count(2)
    expect(ada.heading).to_have_text("Hello / there: you?")
    expect(ada.replies).to_have_count(1)
    bring(ada, file)
    expect(ada.page.get_by_text("One chat was already here.")).to_be_visible()
    broken = tmp_path / "broken.json"
    for content in ("{", '{"format": "other"}'):
        broken.write_text(content)
        bring(ada, broken)
        expect(ada.notice("This file has no chats.").last).to_be_visible()
        ada.page.get_by_role("button", name="Close").last.click()
    damaged = json.loads(file.read_text()) | {"messages": [{"sender": "user"}]}
    damaged["chat"]["id"] = "chat_other"
    broken.write_text(json.dumps(damaged))
    bring(ada, broken)
    expect(ada.page.get_by_text("One chat couldn’t be imported:")).to_be_visible()
    expect(ada.page.get_by_text("messages.0.content: is required")).to_be_visible()
    assert ada.call("GET", "/chats")["pagination"]["total"] == 2


EXPORTS = Path(__file__).parent.parent / "page" / "exports"


def bring(user: User, *files: Path) -> None:
    """Choose files to import."""
    user.settings("Data").get_by_label("Import chats").set_input_files(files)


def test_chats_of_other_products_are_imported_once(ada: User, tmp_path: Path) -> None:
    archive = tmp_path / "chatgpt.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.write(EXPORTS / "chatgpt.json", "conversations.json")
        files.writestr("file-Reeds1-reeds.png", base64.b64decode(PIXEL))
    bring(ada, archive)
    expect(ada.page.get_by_text("2 chats were imported.")).to_be_visible()
    bring(ada, archive, EXPORTS / "claude.json")
    expect(ada.page.get_by_text("3 chats were imported.")).to_be_visible()
    expect(ada.page.get_by_text("2 chats were already here.")).to_be_visible()
    expect(ada.page.get_by_text("One file or image isn’t in the export")).to_be_visible()
    bring(ada, EXPORTS / "openwebui.json")
    expect(ada.page.get_by_text("One chat was imported.")).to_be_visible()
    bring(ada, EXPORTS / "librechat.json")
    expect(ada.heading).to_have_text("Rivers")  # the only chat is shown
    listed = ada.call("GET", "/chats?limit=100")["data"]
    assert {chat["title"] for chat in listed} == {
        "Herons in the reeds", "Notes on tea", "Older exports have no content", "Empty",
        "Bread", "Rivers",
    }  # fmt: skip
    assert ada.call("GET", "/chats?archived=true")["pagination"]["total"] == 1
    ada.chats.get_by_text("Herons in the reeds").click()
    expect(ada.said).to_have_text(["What is a heron?", "Is this one?"])
    expect(ada.page.locator(".said img")).to_have_count(1)
    expect(ada.page.get_by_text("2/2").first).to_be_visible()


def test_an_import_tells_how_far_it_is_and_can_be_cancelled(ada: User, tmp_path: Path) -> None:
    (chat,) = json.loads((EXPORTS / "openwebui.json").read_text())
    path = tmp_path / "many.json"
    path.write_text(json.dumps([{**chat, "id": f"chat-{number}"} for number in range(5)]))
    held: list[Route] = []

    def hold_the_third(route: Route) -> None:
        held.append(route)
        if len(held) != 3:
            route.continue_()

    ada.page.route("**/chats/import", hold_the_third)
    bring(ada, path)
    expect(ada.page.get_by_text("Importing chat 3 of 5")).to_be_visible()
    ada.button("Cancel").click()
    held[2].continue_()
    expect(ada.page.get_by_text("3 chats were imported.")).to_be_visible()
    bring(ada, path)  # again, it imports the rest
    expect(ada.page.get_by_text("2 chats were imported.")).to_be_visible()
    expect(ada.page.get_by_text("3 chats were already here.")).to_be_visible()
    assert ada.call("GET", "/chats")["pagination"]["total"] == 5


def test_a_chat_that_is_gone(ada: User) -> None:
    ada.page.goto(f"{ada.program.url}/#chat_nowhere")
    expect(ada.notice("This chat no longer exists.")).to_be_visible()
    expect(ada.page.get_by_text("What can I help with")).to_be_visible()


def test_a_deleted_chat_can_be_brought_back_after_a_reload(ada: User) -> None:
    ada.chat("Hello", title="Kept")
    expect(ada.chats).to_have_text(["Kept"])
    with ada.page.expect_response("**/export?format=json"):
        ada.choose("Kept", "Delete")
    expect(ada.chats).to_have_count(0)
    ada.page.reload()
    ada.notice("Deleted").get_by_role("button", name="Undo").click()
    expect(ada.chats).to_have_text(["Kept"])
    expect(ada.said).to_have_text("Hello")
    ada.page.reload()
    expect(ada.chats).to_have_text(["Kept"])
    expect(ada.page.locator(".notice")).to_have_count(0)


def test_no_chat_is_missing_after_a_deep_link_and_deletions(ada: User) -> None:
    """The second page joins the first, although it has moved by two on the server."""
    chats = [ada.call("POST", "/chats", {"title": f"Chat {n}"})["id"] for n in range(170)]
    ada.page.goto(f"{ada.program.url}/#{chats[10]}")
    ada.page.reload()  # in no page that is loaded
    expect(ada.heading).to_have_text("Chat 10")
    for gone in chats[-3:-1]:
        ada.call("DELETE", f"/chats/{gone}")
    seen: set[str] = set()
    for _ in range(200):
        seen |= set(ada.chats.all_inner_texts())
        if len(seen - {"Chat 167", "Chat 168"}) == 168:
            break
        ada.page.locator(".chat-list").evaluate("e => e.scrollTop += 400")
    expected = {f"Chat {n}" for n in range(170)} - {"Chat 167", "Chat 168"}
    assert seen - {"Chat 167", "Chat 168"} == expected


def test_a_search_opens_a_chat_at_the_message(ada: User) -> None:
    chat = ada.imported(300)
    ada.call("POST", f"/chats/{chat}/messages", {"content": "The end"})
    search = ada.page.get_by_label("Search chats")
    for number in (143, 171):
        search.fill(f"message {number}")
        snippet = ada.page.locator(".snippet")
        expect(snippet).to_contain_text(f"Message {number}")
        expect(snippet.locator("mark").first).to_have_text("Message")
        ada.chats.click()
        expect(ada.page.get_by_text(f"Message {number}", exact=True).first).to_be_in_viewport()
        expect(ada.page.get_by_text("The end", exact=True)).not_to_be_in_viewport()


def test_a_search_finds_another_version(ada: User) -> None:
    chat = ada.chat("Geese fly")
    first = ada.call("GET", f"/chats/{chat}/messages")["data"][0]["id"]
    edited = {"content": "Swans swim", "replaces": first}
    ada.call("POST", f"/chats/{chat}/messages", edited)
    ada.chats.click()
    expect(ada.said).to_have_text("Swans swim")
    expect(ada.replies).to_have_count(1)
    ada.page.get_by_label("Search chats").fill("geese")
    expect(ada.page.locator(".snippet")).to_contain_text("Geese")
    ada.chats.click()
    expect(ada.said).to_have_text("Geese fly")


def test_a_chat_that_is_created_during_a_search_is_listed(ada: User) -> None:
    ada.chat("Hello", title="Found")
    ada.page.get_by_role("searchbox").fill("Found")
    expect(ada.chats).to_have_text(["Found"])
    ada.button("New chat").click()
    ada.say("Something else", replies=1)
    expect(ada.chats.first).to_have_text("Something else")


def test_names_of_files_keep_what_a_name_may_have(ada: User) -> None:
    for title, name in {
        "Zoë हिन्दी v1.2 – 50%": "Zoë हिन्दी v1.2 – 50%.md",
        "a/b\\c:d*e?": "a b c d e.md",
        "..": "chat.md",
        "con": "_con.md",
        "x" * 200: "x" * 120 + ".md",
    }.items():
        chat = ada.call("POST", "/chats", {"title": title})["id"]
        row = ada.page.locator(".chat-row", has=ada.page.locator(f'a[href="#{chat}"]'))
        row.get_by_role("button").click()
        with ada.page.expect_download() as download:
            ada.page.get_by_role("menuitem", name="Export as Markdown").click()
        assert download.value.suggested_filename == name
