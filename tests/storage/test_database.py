"""The database writer: ordering, savepoints, and a full disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from core import fairness
from core.errors import StorageUnavailable
from storage import database
from storage.connection import Connection
from storage.database import Database
from tests.storage.table import insert, numbers, pragma


async def test_a_cached_read_queries_again_after_a_commit(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def text(connection: Connection, number: int) -> Any:
        asked.append(number)
        return connection.execute("SELECT text FROM t WHERE n = ?", (number,)).fetchone()

    await db.write(insert, 1, "one")
    assert [db.cached_read(text, n) for n in (1, 1, 2, 1)] == [("one",), ("one",), None, ("one",)]
    assert asked == [1, 2]
    announced: list[Any] = []

    def announce(number: int) -> None:
        announced.append(db.cached_read(text, number))

    await db.write(insert, 2, "two", on_commit=announce)
    assert announced == [("two",)]
    assert db.cached_read(text, 2) == ("two",)
    assert asked == [1, 2, 2]
    monkeypatch.setattr(database, "_MAX_CACHED", 2)
    for number in range(10):
        db.cached_read(text, number)
    assert len(db._cache) <= 2


async def test_pragmas(db: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    for name, value in wanted.items():
        assert await db.write(pragma, name) == value
    with pytest.raises(StorageUnavailable):
        db.read(insert, 1)
    with pytest.raises(StorageUnavailable):
        await db.read_in_pool(insert, 1)
    assert db.read(pragma, "wal_autocheckpoint") == 0


async def test_health_tries_it_out(db: Database) -> None:
    pages = await db.write(pragma, "page_count")
    await db.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    assert await db.is_writable()  # what is there can be changed still
    with pytest.raises(StorageUnavailable):
        await db.write(insert, 1, "x" * 20_000)
    await db.write(lambda c: c.execute("PRAGMA query_only = ON").fetchone())
    assert not await db.is_writable()


async def test_the_loop_reads_on_while_the_writer_is_busy(db: Database) -> None:
    await db.write(insert, 1)
    started, go_on = threading.Event(), threading.Event()

    def wait(connection: Connection) -> int:
        insert(connection, 2)
        started.set()
        assert go_on.wait(10)
        return 2

    writing = asyncio.ensure_future(db.write(wait))
    await asyncio.to_thread(started.wait, 10)
    assert db.read(numbers) == [1]
    assert await db.read_in_pool(numbers) == [1]
    assert not writing.done()
    go_on.set()
    assert await writing == 2


async def test_long_reads_see_what_is_committed(db: Database) -> None:
    await db.write(insert, 1)
    assert await asyncio.gather(*(db.read_in_pool(numbers) for _ in range(8))) == [[1]] * 8


async def test_long_reads_of_one_account_leave_threads_to_others(db: Database) -> None:
    started, go_on = threading.Semaphore(0), threading.Event()

    def wait(_: Connection) -> None:
        started.release()
        assert go_on.wait(10)

    async def charged(account: str, work: Callable[[Connection], Any]) -> Any:
        fairness.charge(account)
        return await db.read_in_pool(work)

    long = [asyncio.ensure_future(charged("greedy", wait)) for _ in range(4)]
    for _ in range(2):
        await asyncio.to_thread(started.acquire, timeout=10)
    assert await asyncio.ensure_future(charged("other", numbers)) == []
    assert not started.acquire(blocking=False)  # the account's other reads wait
    long[0].cancel()  # its thread goes on
    go_on.set()
    await asyncio.gather(*long, return_exceptions=True)
    assert await asyncio.ensure_future(charged("greedy", numbers)) == []


async def test_reads_after_the_end_are_refused(db: Database) -> None:
    """A request may outlive the database: at a shutdown, and at the reset of a test backend."""
    db.close()
    with pytest.raises(StorageUnavailable, match="shutting down"):
        db.read(numbers)
    with pytest.raises(StorageUnavailable, match="shutting down"):
        db.cached_read(pragma, "user_version")
    with pytest.raises(StorageUnavailable, match="shutting down"):
        await db.read_in_pool(numbers)
