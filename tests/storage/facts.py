"""A small database with an account, and short helpers that store data in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import ids
from core.records import Message, User
from storage import chats, migrations, turns, users
from storage.connection import Connection, connect
from storage.files import create_private

NOW = "2026-01-01T00:00:00.000Z"
LATER = "2026-01-01T00:00:01.000Z"


@contextmanager
def database(path: Path) -> Iterator[Connection]:
    """A new, migrated database."""
    create_private(path)
    connection = connect(path, writable=True)
    try:
        migrations.migrate(connection)
        yield connection
    finally:
        connection.close()


def user(connection: Connection, name: str = "ada") -> User:
    return users.add(connection, f"user_{name}", f"{name}@example.com", name, "x", NOW)


def chat(connection: Connection, owner: User, id: str = "chat_1", title: str = "Title") -> str:
    new = chats.NewChat(id, title, True, "m", NOW, None, "{}")
    chats.add(connection, owner.row_id, new)
    return id


def message(
    content: str = "Hello", chat_id: str = "chat_1", client_id: str | None = None
) -> Message:
    return Message(0, ids.new("msg"), chat_id, content, "user", NOW, "complete", None, client_id)


def say(connection: Connection, owner: User, content: str, chat_id: str = "chat_1") -> Message:
    return turns.add_message(connection, owner.row_id, message(content, chat_id)).message
