"""Removing hidden chats in the background, and resuming after a stop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.documents import encoded
from core.errors import StorageUnavailable
from core.records import User
from services import removal
from services.removal import Removal
from storage import hidden_chats, messages, uploads, users
from storage.connection import Connection
from tests.services.exports import exported, message


@pytest.fixture
def hidden(io_loop: Any, rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch) -> int:
    """A chat with five messages that a process left hidden when it died."""
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)

    async def prepare() -> int:
        document = exported(*(message(str(number)) for number in range(5)))
        chat = (await rooms.imports.run(user, encoded(document))).chat
        await rooms.db.write(hidden_chats.hide, user.row_id, chat.row_id)
        row_id: int = chat.row_id
        return row_id

    left: int = io_loop.run_sync(prepare)
    return left


def count(connection: Connection) -> int:
    number: int = connection.execute("SELECT COUNT(*) FROM messages").fetchone()[0]
    return number


async def test_a_start_removes_what_is_hidden(rooms: Any, user: User, hidden: int) -> None:
    kept = (await rooms.imports.run(user, encoded(exported()))).chat
    removing = Removal(rooms.db)
    removing.start()
    await removing.finished()
    assert rooms.db.read(hidden_chats.everything) == []
    assert rooms.db.read(messages.everything, hidden) == []
    assert len(rooms.db.read(messages.everything, kept.row_id)) == 2


async def test_it_stops_and_the_next_start_goes_on(rooms: Any, hidden: int) -> None:
    first = Removal(rooms.db)
    first.start()
    await rooms.db.write(count)  # after the first slice
    await first.close()
    first.add(hidden)  # comes too late
    assert rooms.db.read(hidden_chats.everything) == [hidden]
    again = Removal(rooms.db)
    again.start()
    await again.finished()
    assert rooms.db.read(count) == 0


async def test_it_tries_again_when_the_disk_was_full(
    rooms: Any, hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_RETRY_SECONDS", 0.0)
    write, failures = rooms.db.write, [StorageUnavailable(), StorageUnavailable()]

    async def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await write(*arguments)

    monkeypatch.setattr(rooms.db, "write", failing)
    removing = Removal(rooms.db)
    removing.start()
    await removing.finished()
    assert rooms.db.read(count) == 0


async def test_files_of_a_deleted_account_are_removed(
    rooms: Any, other: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_SWEEP_SECONDS", 0.0)
    sending = rooms.uploads.begin(other, "a.txt")
    await sending.add(b"hello")
    await sending.complete()
    await rooms.db.write(users.delete, other.row_id)
    assert rooms.db.read(uploads.are_given_up)
    sweeping = Removal(rooms.db)
    sweeping.start()
    async with asyncio.timeout(20):
        while rooms.db.read(uploads.are_given_up):
            await asyncio.sleep(0)
    await sweeping.close()


def is_there(connection: Connection, file: str) -> bool:
    query = "SELECT 1 FROM files WHERE id = ?"
    return connection.execute(query, (file,)).fetchone() is not None


async def test_unused_files_age_by_the_hour(
    rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "_SWEEP_SECONDS", 0.0)
    monkeypatch.setattr(removal, "_SWEEPS_AN_HOUR", 2)
    sending = rooms.uploads.begin(user, "a.txt")
    await sending.add(b"hello")
    file = await sending.complete()
    sweeping = Removal(rooms.db)
    sweeping.start()
    async with asyncio.timeout(20):
        while rooms.db.read(is_there, file.id):
            await asyncio.sleep(0)
    await sweeping.close()
