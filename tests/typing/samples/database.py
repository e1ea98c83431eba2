"""Calls of `Database` that a type checker must refuse, each with the error that it must report.

Nothing runs this file: `tests/typing/test_typing.py` gives it to mypy. A line without a comment
must be accepted.
"""

from __future__ import annotations

from typing import assert_type

from core.records import JsonPage, User
from storage import chats, messages, sessions, users
from storage.connection import Connection
from storage.database import Database


def _rename(connection: Connection, row_id: int, title: str, now: str) -> bool:
    raise NotImplementedError


def _names(connection: Connection, row_id: int) -> list[str]:
    raise NotImplementedError


def _count(row_id: int) -> int:
    raise NotImplementedError


async def accepted(db: Database) -> None:
    assert_type(db.read(users.exist), bool)
    assert_type(db.cached_read(users.find, "user_1"), User | None)
    assert_type(await db.write(chats.delete, 1, "chat_1"), chats.Deleted)
    assert_type(await db.read_in_pool(messages.page, 1, "chat_1", 20, 0, False), JsonPage)
    await db.write(_rename, 1, "title", "now", on_commit=lambda renamed: renamed is True)


async def dropped(db: Database) -> None:
    await db.write(_rename, 1, "title")  # E: arg-type
    db.read(chats.find, 1)  # E: arg-type
    db.cached_read(sessions.is_live, "sess_1")  # E: arg-type
    await db.read_in_pool(messages.page, 1, "chat_1", 20, 0)  # E: arg-type


async def superfluous(db: Database) -> None:
    await db.write(chats.delete, 1, "chat_1", "now")  # E: arg-type
    db.read(users.exist, 1)  # E: arg-type


async def swapped(db: Database) -> None:
    await db.write(_rename, "title", 1, "now")  # E: arg-type
    db.read(chats.find, "chat_1", 1)  # E: arg-type
    db.cached_read(sessions.is_live, 1, "sess_1", 2)  # E: arg-type
    await db.read_in_pool(messages.page, 1, "chat_1", "20", 0, False)  # E: arg-type


async def misused(db: Database) -> None:
    title: str = await db.write(_rename, 1, "title", "now")  # E: arg-type
    await db.write(_rename, 1, "a", "b", on_commit=lambda done: done + title)  # E: operator
    db.read(_count, 1)  # E: arg-type
    db.cached_read(_names, 1)  # E: type-var
