"""Backup, check and erasure while an application writes to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import backups, maintenance
from storage.connection import Connection, connect
from tests.conftest import Client


def quietly(doing: str, share: float | None) -> None:
    """No progress is shown."""


@pytest.fixture
def database(data_dir: Path) -> Path:
    return data_dir / "quillium.db"


async def fill(ada: Client) -> str:
    chat = await ada.chat(title="Of geese")
    file = (await ada("POST /files", b"goose")).body
    await ada.say(chat, "Hello, 日本 and the goose", attachments=[file["id"]])
    await ada.say(chat, "/error")
    return chat


DAMAGES: dict[str, tuple[str, str]] = {
    "chat_count": ("UPDATE users SET chat_count = 7", "chat count of a user"),
    "storage_bytes": ("UPDATE users SET storage_bytes = 7", "stored bytes of a user"),
    "message_count": ("UPDATE chats SET message_count = 7", "message count of a chat"),
    "unread": ("UPDATE chats SET unread_count = 7", "unread count of a chat"),
    "file size": ("UPDATE files SET size = 7", "size of a file"),
    "file use": ("UPDATE files SET use_count = 7", "messages of a file"),
    "seq": ("UPDATE users SET seq = 1", "last frame number of a user"),
    "last": ("UPDATE chats SET last_message = 1", "last message of a chat"),
    "orphan": (
        "UPDATE messages SET chat = 999 WHERE number = (SELECT MAX(number) FROM messages)",
        "messages: row 4 refers to a row of chats that is missing",
    ),
    "index lacks": (
        "INSERT INTO messages_index (messages_index, rowid, owner, content)"
        " SELECT 'delete', number, 'u' || user, searchable(content) FROM messages LIMIT 1",
        "messages_index: lacks the row 1",
    ),
    "index has": (
        "INSERT INTO titles_index (rowid, owner, content) VALUES (99, 'u1', 'ghost')",
        "titles_index: has the extra word ghost",
    ),
    "index differs": (
        "DROP TRIGGER message_changed_old; UPDATE messages SET content = 'swan' WHERE number = 1",
        "messages_index: has the extra word goose",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_a_check_finds(ada: Client, rooms: Any, database: Path, name: str) -> None:
    await fill(ada)
    sound = maintenance.check(database, quietly)
    assert (sound.problems, sound.users, sound.chats, sound.messages) == ([], 1, 1, 4)
    statements, found = DAMAGES[name]

    def damage(connection: Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for statement in statements.split("; "):
            connection.execute(statement)

    with closing(connect(database, writable=True)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        damage(connection)
    assert any(
        problem.startswith(found) for problem in maintenance.check(database, quietly).problems
    )


async def test_a_check_finds_damaged_pages(
    ada: Client, rooms: Any, database: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        await fill(ada)
    copy = tmp_path / "copy.db"
    backups.copy(database, copy, quietly)
    with closing(sqlite3.connect(copy)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_chat'"
        ).fetchone()
    content = bytearray(copy.read_bytes())
    content[(page - 1) * 4096 + 200 : page * 4096] = b"\xff" * (4096 - 200)
    copy.write_bytes(content)
    assert maintenance.check(copy, quietly).problems
    with pytest.raises(backups.Unusable, match="is damaged"):
        backups.copy(copy, tmp_path / "copy of a copy.db", quietly)
    assert [path.name for path in tmp_path.glob("copy of*")] == []


def words_left(folder: Path, word: bytes) -> list[str]:
    """Files in which a word stands, in whatever case."""
    return [path.name for path in folder.iterdir() if word in path.read_bytes().lower()]


Deletion = Callable[[Client, str], Any]


async def delete_chat(ada: Client, chat: str) -> None:
    assert (await ada("DELETE /chats/{id}", id=chat)).status == 204


async def delete_last(ada: Client, chat: str) -> None:
    last = (await ada("GET /chats/{id}", id=chat)).body["leaf_id"]
    assert (await ada(f"DELETE /chats/{{id}}/messages/{last}", id=chat)).status == 204


async def rename(ada: Client, chat: str) -> None:
    await ada("PATCH /chats/{id}", {"title": "Something else"}, id=chat)


@pytest.mark.parametrize(
    ("word", "delete"),
    [(b"xylophone", delete_chat), (b"marimba", delete_chat), (b"marimba", rename)],
)
async def test_deleted_means_gone(
    ada: Client, rooms: Any, data_dir: Path, word: bytes, delete: Deletion
) -> None:
    chat = await ada.chat(title="Marimba")
    kept = await ada.chat(title="Vibraphone")
    for length in (3, 300, 3000):
        await ada.say(chat, "xylophone " * length)
        await ada.say(kept, "vibraphone " * length)
    assert words_left(data_dir, word)
    await delete(ada, chat)
    await rooms.close_connections()
    rooms.db.close()
    assert words_left(data_dir, word) == []
    assert words_left(data_dir, b"vibraphone") == ["quillium.db"]
    report = maintenance.check(data_dir / "quillium.db", quietly)
    assert report.problems == []


async def test_nothing_is_rewritten_when_nothing_was_deleted(ada: Client, rooms: Any) -> None:
    def due(connection: Connection) -> int:
        return int(connection.execute("SELECT is_due FROM erasure").fetchone()[0])

    chat = await ada.chat()
    await ada.say(chat, "Hello")
    assert rooms.db.read(due) == 0
    await delete_last(ada, chat)
    assert rooms.db.read(due) == 1


async def test_a_system_prompt_that_was_replaced_is_erased(
    ada: Client, rooms: Any, data_dir: Path
) -> None:
    chat = await ada.chat(system_prompt="Speak of the glockenspiel")
    await ada("PATCH /chats/{id}", {"system_prompt": None}, id=chat)
    await rooms.close_connections()
    rooms.db.close()
    assert words_left(data_dir, b"glockenspiel") == []
