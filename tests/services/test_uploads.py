"""Uploads take turns, end when the client leaves, and keep only one piece in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core import fairness
from core.errors import InvalidRequest, NotFound, QuotaExceeded, StorageUnavailable
from core.records import File, User
from services.uploads import Upload, Uploads, attached_ids
from storage import uploads
from storage.connection import Connection

CHUNK = b"x" * (1 << 16)
PIECE_CHUNKS = uploads.PIECE_BYTES // len(CHUNK)


def count(connection: Connection) -> tuple[int, int]:
    row: tuple[int, int] = connection.execute(
        "SELECT (SELECT COUNT(*) FROM files), (SELECT COUNT(*) FROM file_pieces)"
    ).fetchone()
    return row


async def upload(rooms: Any, user: User, content: bytes, name: str = "a.txt") -> File:
    sending = rooms.uploads.begin(user, name, len(content))
    for start in range(0, len(content), len(CHUNK)):
        await sending.add(content[start : start + len(CHUNK)])
    file: File = await sending.complete()
    return file


async def settled(sending: Upload) -> None:
    if sending._aborting is not None:
        await sending._aborting


async def test_a_file_is_stored_in_pieces(rooms: Any, user: User) -> None:
    whole = bytes(range(256)) * 4096 + b"the end"
    file = await upload(rooms, user, whole, "../a.bin")
    assert (file.name, file.size, file.content_type) == (
        "a.bin", len(whole), "application/octet-stream",
    )  # fmt: skip
    row_id, found = rooms.uploads.find(user, file.id)
    assert found == file
    pieces = list(rooms.uploads.pieces(row_id))
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) <= uploads.PIECE_BYTES


async def test_a_file_of_exactly_one_piece(rooms: Any, user: User) -> None:
    file = await upload(rooms, user, CHUNK * PIECE_CHUNKS)
    assert file.size == uploads.PIECE_BYTES


async def test_an_empty_file(rooms: Any, user: User) -> None:
    sending = rooms.uploads.begin(user, "a", 0)
    with pytest.raises(InvalidRequest, match="empty"):
        await sending.complete()
    assert rooms.db.read(count) == (0, 0)


async def test_an_upload_that_is_aborted_leaves_nothing(rooms: Any, user: User) -> None:
    sending = rooms.uploads.begin(user, "a", 0)
    for _ in range(PIECE_CHUNKS):
        await sending.add(CHUNK)
    assert rooms.db.read(count) == (1, 1)
    adding = asyncio.ensure_future(sending.add(CHUNK * PIECE_CHUNKS))
    await asyncio.sleep(0)  # the piece is on its way
    sending.abort()
    sending.abort()
    await settled(sending)
    await adding
    await rooms.removal.finished()
    assert rooms.db.read(count) == (0, 0)


async def test_only_some_uploads_of_an_account_run_at_once(
    rooms: Any, user: User, other: User
) -> None:
    limit = fairness.UPLOADS_EACH
    running = [rooms.uploads.begin(user, "a", 0) for _ in range(limit)]
    for sending in running:
        await sending.add(CHUNK * PIECE_CHUNKS)
    late, left = (rooms.uploads.begin(user, "late", 0) for _ in range(2))
    waiting = [asyncio.ensure_future(one.add(CHUNK * PIECE_CHUNKS)) for one in (left, late)]
    await upload(rooms, other, CHUNK * (PIECE_CHUNKS + 1))  # nobody else waits
    await upload(rooms, user, b"small")  # nor a file that needs no slot
    assert not any(task.done() for task in waiting)
    left.abort()  # the client left; its turn goes on to the next one
    await running[0].complete()
    await asyncio.gather(*waiting)
    assert (await late.complete()).size == uploads.PIECE_BYTES
    for sending in running[1:]:
        sending.abort()
    await asyncio.gather(*map(settled, [*running, left]))
    await rooms.removal.finished()
    assert rooms.db.read(count)[0] == 4


async def test_the_quota_is_checked_first(
    rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "STORAGE_MIB_EACH", 1)
    with pytest.raises(QuotaExceeded):
        rooms.uploads.begin(user, "a", (1 << 20) + 1)


async def test_an_abort_while_the_storage_fails(
    rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = rooms.uploads.begin(user, "a", 0)
    await sending.add(CHUNK * PIECE_CHUNKS)

    async def fail(*_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(rooms.db, "write", fail)
        sending.abort()
        await settled(sending)
    await rooms.db.write(uploads.abandon_all)  # as the next start does
    rooms.removal.sweep()
    await rooms.removal.finished()
    assert rooms.db.read(count) == (0, 0)


async def test_a_file_that_is_removed_while_it_is_read(rooms: Any, user: User) -> None:
    file = await upload(rooms, user, CHUNK * PIECE_CHUNKS * 2)
    reading = rooms.uploads.pieces(rooms.uploads.find(user, file.id).row_id)
    assert len(next(reading)) == uploads.PIECE_BYTES
    await rooms.uploads.delete(user, file.id)
    await rooms.removal.finished()
    assert list(reading) == []
    with pytest.raises(NotFound):
        rooms.uploads.find(user, file.id)


def test_attached_ids() -> None:
    assert attached_ids(["file_1", {"id": "file_2", "name": "x"}, "file_1"]) == ["file_1", "file_2"]


async def test_only_some_pieces_are_stored_at_once(
    rooms: Any, user: User, other: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit of many pieces would keep the writes of others waiting."""
    monkeypatch.setattr(fairness, "PIECES", 1)
    uploading = Uploads(rooms.db, rooms.removal, rooms.clock)
    held, writes = asyncio.Event(), []
    write = rooms.db.write

    async def wait(work: Any, *arguments: Any) -> Any:
        writes.append((work, fairness.charged()))
        await held.wait()
        return await write(work, *arguments)

    monkeypatch.setattr(rooms.db, "write", wait)
    storing = [
        asyncio.ensure_future(uploading.store(account, "a", CHUNK * PIECE_CHUNKS))
        for account in (user, user, other)
    ]
    for _ in range(20):
        await asyncio.sleep(0)
    assert writes == [(uploads.append, user.id)]
    left = uploading.begin(other, "left")
    adding = asyncio.ensure_future(left.add(CHUNK * PIECE_CHUNKS))
    await asyncio.sleep(0)
    left.abort()  # before its piece is stored
    held.set()
    assert {file.size for file in await asyncio.gather(*storing)} == {uploads.PIECE_BYTES}
    await adding
    await settled(left)
    await rooms.removal.finished()
    assert rooms.db.read(count) == (3, 3)
    assert {account for _, account in writes} == {user.id, other.id}
