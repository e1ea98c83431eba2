"""Deleted data is gone from the database file."""

from __future__ import annotations

from pathlib import Path

from core.records import User
from storage import chats, erasure
from storage.connection import Connection
from tests.storage.facts import chat, say

SECRET = "zyzzyva"


def content(connection: Connection, tmp_path: Path) -> bytes:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (tmp_path / "quillium.db").read_bytes()


def is_due(connection: Connection) -> bool:
    return bool(connection.execute("SELECT is_due FROM erasure").fetchone()[0])


def test_a_deleted_chat_leaves_no_trace(
    connection: Connection, owner: User, tmp_path: Path
) -> None:
    chat(connection, owner)
    for number in range(50):
        say(connection, owner, f"the {SECRET} number {number}")
    chats.delete(connection, owner.row_id, "chat_1")
    assert is_due(connection)
    erasure.erase(connection)
    assert SECRET.encode() not in content(connection, tmp_path)
    assert not is_due(connection)


def test_nothing_is_rebuilt_where_nothing_was_deleted(
    connection: Connection, owner: User, tmp_path: Path
) -> None:
    chat(connection, owner)
    say(connection, owner, SECRET)
    assert not is_due(connection)
    erasure.erase(connection)
    assert SECRET.encode() in content(connection, tmp_path)
