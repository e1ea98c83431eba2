"""Search bounds for words that occur in a great many messages."""

from __future__ import annotations

from typing import Any

import pytest

from core import ids
from core.records import Message
from storage import chats, search, turns
from storage.connection import Connection
from tests.conftest import Client

NOW = "2026-01-01T00:00:00.000Z"


async def test_common_words(
    ada: Client, anyone: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await anyone.register("bob@example.com")
    monkeypatch.setattr(search, "MAX_MATCHES", 5)
    old, new, bobs = await ada.chat(title="A"), await ada.chat(title="B"), await bob.chat(title="C")
    content = {
        old: ["common rare", "commonest"],
        new: [f"common {n}" for n in range(6)],
        bobs: ["common", "commonplace"],
    }
    users = {old: 1, new: 1, bobs: 2}

    def fill(connection: Connection) -> dict[str, int]:
        for chat, texts in content.items():
            for text in texts:
                said = Message(0, ids.new("msg"), chat, text, "user", NOW, "complete", None, None)
                turns.add_message(connection, users[chat], said)
        return {chat: chats.check(connection, users[chat], chat) for chat in content}

    numbers = await rooms.db.write(fill)

    def found(user: int, query: str) -> set[str]:
        found = rooms.db.read(search.chats_with, user, query).chats
        return {chat for chat, number in numbers.items() if number in found}

    assert found(1, "common") == {new}  # in the newest of the user's messages, and whole
    assert found(1, "comm") == {new}  # the beginning of a common word
    assert found(1, "rare") == {old}
    assert found(1, "rar common") == {old}  # looked for in the chats of the rarer one
    assert found(1, "common 3") == {new}
    assert found(1, "commonest common") == {old}
    assert found(2, "common") == {bobs}  # common to all, rare with this user
    assert found(2, "commonplace common") == {bobs}
    assert found(2, "rare") == set()
