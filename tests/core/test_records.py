"""Public form of records: the reference's fields first, never a row id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.records import ApiKey, Chat, ChatChange, Message, ReadMark, User

NOW = "2026-01-01T00:00:00.000Z"
USER = User(7, "user_1", "ada@example.com", "Ada", True, NOW, NOW)
MESSAGE = Message(7, "msg_1", "chat_1", "Hello", "user", NOW, "complete", None, "c1")
CHAT = Chat(7, "chat_1", "Title", "m", NOW, NOW, 1, 0, MESSAGE)
READ = ReadMark("chat_1", "msg_1", "user", NOW, 0, 3)
KEY = ApiKey("key_1", "laptop", "qk_ab", NOW, None)


@pytest.mark.parametrize(
    ("record", "first"),
    [
        (USER, ["id", "email", "name"]),
        (CHAT, ["id", "title", "model", "created_at", "updated_at"]),
        (READ, ["chat_id", "content", "sender", "timestamp"]),
        (KEY, ["id", "name"]),
        (MESSAGE, ["id", "chat_id", "content", "sender", "timestamp"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_public_forms(record: User | Chat | ReadMark | ApiKey | Message, first: list[str]) -> None:
    public = record.public()
    assert list(public)[: len(first)] == first
    assert "row_id" not in public
    assert 7 not in public.values()


def test_an_error_is_shown_only_where_there_is_one() -> None:
    assert "error" not in MESSAGE.public()
    failed = replace(MESSAGE, error={"code": "model_timeout"})
    assert failed.public()["error"] == {"code": "model_timeout"}


def test_a_chat_shows_its_last_message() -> None:
    assert CHAT.public()["last_message"] == MESSAGE.public()
    assert replace(CHAT, last_message=None).public()["last_message"] is None


def test_a_change_is_the_chat_or_that_it_is_gone() -> None:
    assert ChatChange("chat_1", CHAT, 1).public() == CHAT.public()
    assert ChatChange("chat_1", None, 1).public() == {"id": "chat_1", "deleted": True}
