"""Building the search index in the background: consistent at every step."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core import ids
from core.records import Message
from storage import chats, maintenance, migrations, search_index, turns, users
from storage.connection import Connection, connect
from tests.storage.test_maintenance import quietly

NOW = "2026-01-01T00:00:00.000Z"
MESSAGES = 10


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    """A database with messages none of which is in the index."""
    path = tmp_path / "quillium.db"
    path.touch(mode=0o600)
    opened = connect(path, writable=True)
    migrations.migrate(opened)
    user = users.add(opened, "user_1", "a@b", "A", "x", NOW).row_id
    for number in range(MESSAGES // 2):
        new = chats.NewChat(f"chat_{number}", "Untitled", True, "m", NOW, None, "{}")
        chats.add(opened, user, new)
        for text in (f"früh word{number}", f"spät word{number}"):
            said = Message(
                0, ids.new("msg"), f"chat_{number}", text, "user", NOW, "complete", None, None
            )
            turns.add_message(opened, user, said)
    opened.execute("INSERT INTO messages_index (messages_index) VALUES ('delete-all')")
    opened.execute("UPDATE search_index SET indexed_from = (SELECT max(number) + 1 FROM messages)")
    with closing(opened):
        yield opened


def found(connection: Connection, query: str) -> list[str]:
    page = chats.find_with(connection, 1, query, 100, 0)
    return sorted(chat["id"] for chat in json.loads(f"[{page.items}]"))


def is_sound(connection: Connection, tmp_path: Path) -> bool:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return maintenance.check(tmp_path / "quillium.db", quietly).problems == []


def test_it_grows_from_the_newest_to_the_oldest(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "SLICE_MESSAGES", 3)
    assert found(connection, "fruh") == []
    assert not search_index.progress(connection).is_complete
    shares = []
    for step in range(1, 5):
        progress = search_index.extend(connection)
        shares.append(progress.share)
        assert progress.is_complete == (step == 4)
        assert is_sound(connection, tmp_path)
    assert shares == sorted(shares)
    assert found(connection, "fruh") == [f"chat_{n}" for n in range(5)]
    assert search_index.extend(connection).is_complete  # once more changes nothing
    assert is_sound(connection, tmp_path)


def test_what_changes_meanwhile_is_neither_lost_nor_doubled(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "SLICE_MESSAGES", 3)
    search_index.extend(connection)
    chats.delete(connection, 1, "chat_0")  # not in the index yet
    chats.delete(connection, 1, "chat_4")  # in the index
    connection.execute(
        "UPDATE messages SET content = 'changed' WHERE number = (SELECT min(number) FROM messages)"
    )
    message = Message(0, ids.new("msg"), "chat_2", "new", "user", NOW, "complete", None, None)
    turns.add_message(connection, 1, message)
    assert is_sound(connection, tmp_path)
    while not search_index.extend(connection).is_complete:
        assert is_sound(connection, tmp_path)
    assert is_sound(connection, tmp_path)
    assert found(connection, "changed") == ["chat_1"]
    assert found(connection, "new") == ["chat_2"]
    assert found(connection, "word4") == found(connection, "word0") == []
