"""Reading a reply: copying it as text, quoting, reading aloud, its outline, and blocks of code."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium

PARAGRAPH = "Words about the heron. " * 30
LONG = "\n\n".join(f"{'#' * (1 + n % 3)} Part {n}\n\n{PARAGRAPH}" for n in range(6))
CODE = f"```python\nprint('{'x' * 300}')\n```\n\n```c++\nint a;\n```"
# Chromium here has no voices, so what speaks is a stand-in.
VOICES = """
  globalThis.uttered = [];
  Object.assign(speechSynthesis, {
    getVoices: () => [{lang: "en"}],
    speak: utterance => uttered.push(utterance),
    cancel: () => uttered.push("cancel"),
  });
"""


@pytest.fixture
def reader(ada: User, context: BrowserContext) -> User:
    """Somebody whose browser lets the page write to the clipboard, and the test read it."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return ada


def open_reply(user: User, reply: str) -> None:
    time = "2026-01-01T00:00:00.000Z"
    body = {
        "format": "quillium-chat",
        "version": 1,
        "chat": {"title": "Reading", "model": "quillium-demo"},
        "messages": [
            {"content": "Tell me\nabout it", "sender": "user", "timestamp": time},
            {"content": reply, "sender": "assistant", "timestamp": time},
        ],
    }
    chat = user.call("POST", "/chats/import", body)["id"]
    user.page.goto(f"{user.program.url}/#{chat}")
    expect(user.replies).to_have_count(1)


def more(user: User, action: str, place: str = ".reply") -> None:
    user.page.locator(place).last.get_by_role("button", name="More").click()
    user.page.get_by_role("menuitem", name=action, exact=True).click()


def clipboard(user: User) -> str:
    text: str = user.page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_reply_is_copied_as_text(reader: User) -> None:
    open_reply(reader, "**Bold** and `code`\n\n- one\n- two\n\n$x^2$")
    more(reader, "Copy as text")
    expect(reader.page.locator(".reply").get_by_text("Copied")).to_be_visible()
    assert clipboard(reader).split() == ["Bold", "and", "code", "one", "two", "$x^2$"]
    more(reader, "Copy", ".said")
    expect(reader.page.locator(".said [role=status]")).to_have_text("Copied")
    assert clipboard(reader) == "Tell me\nabout it"


def test_a_message_or_what_is_selected_is_quoted(reader: User) -> None:
    open_reply(reader, "The **heron** stands.\n\nIt waits.")
    more(reader, "Quote", ".said")
    expect(reader.composer).to_have_value("> Tell me\n> about it\n\n")
    expect(reader.composer).to_be_focused()
    reader.page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('.reply strong'))"
    )
    more(reader, "Quote")
    expect(reader.composer).to_have_value("> Tell me\n> about it\n\n\n\n> heron\n\n")


def test_a_reply_is_read_aloud(reader: User) -> None:
    reader.page.add_init_script(VOICES)
    reader.page.reload()
    open_reply(reader, "The **heron** stands. " + "It waits. " * 40)
    more(reader, "Read aloud")
    parts = reader.page.evaluate(
        "uttered.filter(one => one !== 'cancel').map(({text}) => text.trim())"
    )
    assert parts[:2] == ["The heron stands.", "It waits."]
    assert max(map(len, parts)) < 250
    more(reader, "Stop reading")
    assert reader.page.evaluate("uttered.at(-1)") == "cancel"
    more(reader, "Read aloud")
    reader.page.evaluate("uttered.at(-1).onend()")
    reader.page.locator(".reply").get_by_role("button", name="More").click()
    expect(reader.page.get_by_role("menuitem", name="Read aloud")).to_be_visible()


def test_a_browser_without_voices_says_so(reader: User) -> None:
    reader.page.add_init_script("speechSynthesis.getVoices = () => [];")
    reader.page.reload()
    open_reply(reader, "Hello")
    more(reader, "Read aloud")
    expect(reader.notice("This browser has no voice")).to_be_visible()


def test_a_long_reply_has_an_outline(reader: User) -> None:
    open_reply(reader, "# Short\n\n## Reply\n\n### Here")
    expect(reader.page.get_by_text("Contents")).to_have_count(0)
    open_reply(reader, LONG)
    outline = reader.page.locator(".outline")
    outline.get_by_text("Contents").click()
    assert Axe().run(reader.page).response["violations"] == []
    expect(outline.get_by_role("button")).to_have_text([f"Part {n}" for n in range(6)])
    outline.get_by_role("button", name="Part 4").click()
    heading = reader.page.locator(".reply .prose").get_by_text("Part 4", exact=True)
    expect(heading).to_be_in_viewport()
    expect(heading).to_be_focused()


def test_code_is_wrapped_and_saved(reader: User) -> None:
    open_reply(reader, CODE)
    first, second = reader.page.locator(".code-block").all()
    code = first.locator("pre")
    assert code.evaluate("({scrollWidth, clientWidth}) => scrollWidth > clientWidth")
    wrap = first.get_by_role("button", name="Wrap")
    wrap.click()
    expect(wrap).to_have_attribute("aria-pressed", "true")
    assert code.evaluate("({scrollWidth, clientWidth}) => scrollWidth === clientWidth")
    assert Axe().run(reader.page).response["violations"] == []
    for block, name, text in ((first, "code.py", "print("), (second, "code.txt", "int a;")):
        with reader.page.expect_download() as saved:
            block.get_by_role("button", name="Save").click()
        assert saved.value.suggested_filename == name
        assert Path(saved.value.path()).read_text().startswith(text)


def test_copying_a_selection_leaves_out_the_new_buttons(reader: User) -> None:
    open_reply(reader, CODE)
    reader.page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('.reply .prose'))"
    )
    reader.page.keyboard.press("Control+c")
    assert "Wrap" not in clipboard(reader)
