"""What a reply tells beside its text: its reasoning, an unusual end, and its tokens."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium
NOW = "2026-01-01T00:00:00.000Z"


def imported(user: User, **reply: object) -> str:
    """A chat whose reply ended in this way."""
    said = {"content": "Question", "sender": "user", "timestamp": NOW}
    answer = {"content": "Half an ans", "sender": "assistant", "timestamp": NOW, "model": "m"}
    document = {
        "format": "quillium-chat",
        "version": 1,
        "chat": {"title": "Imported", "model": "m"},
        "messages": [said, {**answer, **reply}],
    }
    id: str = user.call("POST", "/chats/import", document)["id"]
    user.page.goto(f"{user.program.url}/#{id}")
    expect(user.page.get_by_text("Half an ans")).to_be_visible()
    return id


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("length", "Cut off at the token limit."),
        ("content_filter", "content filter cut this reply off"),
    ],
)
def test_an_unusual_end_is_shown(ada: User, reason: str, words: str) -> None:
    imported(ada, finish_reason=reason)
    expect(ada.page.get_by_text(words)).to_be_visible()


def test_a_regular_end_is_not(ada: User) -> None:
    imported(ada, finish_reason="stop")
    expect(ada.page.locator(".problem")).to_have_count(0)
    expect(ada.page.locator(".reasoning")).to_have_count(0)


def test_reasoning_is_collapsed_and_tokens_are_on_demand(ada: User) -> None:
    imported(
        ada,
        reasoning="First I think <b>hard</b>.",
        usage={"prompt_tokens": 12, "completion_tokens": 34},
    )
    thought = ada.page.get_by_text("First I think <b>hard</b>.")
    expect(thought).to_be_hidden()
    ada.page.get_by_text("Reasoning", exact=True).click()
    expect(thought).to_be_visible()
    expect(ada.page.get_by_title("12 tokens in, 34 tokens out")).to_be_visible()
