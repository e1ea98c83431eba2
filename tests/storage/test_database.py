"""The writer's promises: order, savepoints, what a full disk does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from core.errors import Conflict, StorageUnavailable
from storage import database
from storage.database import Connection, Database, create_private


@pytest.fixture
def db(io_loop: IOLoop, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "test.db"
    create_private(path)

    async def open_it() -> Database:
        opened = Database(path)
        await opened.write(
            lambda c: c.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT") and None
        )
        return opened

    opened: Database = io_loop.run_sync(open_it)
    yield opened
    opened.close()


def insert(connection: Connection, number: int, text: str = "") -> int:
    connection.execute("INSERT INTO t VALUES (?, ?)", (number, text))
    return number


def numbers(connection: Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]


async def test_pragmas(db: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    for name, value in wanted.items():
        found = await db.write(lambda c, n=name: c.execute(f"PRAGMA {n}").fetchone()[0])
        assert found == value
    assert db.read(lambda c: c.execute("PRAGMA query_only").fetchone()[0]) == 1
    assert db.read(lambda c: c.execute("PRAGMA wal_autocheckpoint").fetchone()[0]) == 0


async def test_one_that_fails_harms_no_other(db: Database) -> None:
    def failing(connection: Connection) -> None:
        insert(connection, 100)
        raise Conflict("on purpose")

    writes = [db.write(insert, n) if n % 3 else db.write(failing) for n in range(30)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    for n, result in enumerate(results):
        assert result == n if n % 3 else isinstance(result, Conflict)
    assert db.read(numbers) == [n for n in range(30) if n % 3]


async def test_a_bug_in_sql_harms_no_other(db: Database) -> None:
    writes = [db.write(insert, n) for n in (1, 2, 2, 3)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert results[:2] == [1, 2]
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3] == 3
    assert db.read(numbers) == [1, 2, 3]


async def test_what_follows_a_write_runs_in_commit_order_after_the_commit(db: Database) -> None:
    order: list[int] = []

    def then(number: int) -> str:
        assert number in db.read(numbers)
        order.append(number)
        return f"done {number}"

    writes = [asyncio.ensure_future(db.write(insert, n, then=then)) for n in range(50)]
    await asyncio.sleep(0)
    writes[7].cancel()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert order == list(range(50))
    assert results[6] == "done 6"
    assert isinstance(results[7], asyncio.CancelledError)


async def test_too_many_that_wait_are_refused(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MOST_WAITING", 10)
    results = await asyncio.gather(
        *(db.write(insert, n) for n in range(500)), return_exceptions=True
    )
    stored = [n for n, result in enumerate(results) if result == n]
    assert any(isinstance(result, StorageUnavailable) for result in results)
    assert db.read(numbers) == stored


async def test_a_disk_that_is_full_and_then_is_not(db: Database) -> None:
    await db.write(lambda c: c.execute("PRAGMA max_page_count = 8").fetchone())
    big = "x" * 20_000
    results: list[Any] = await asyncio.gather(
        *(db.write(insert, n, big) for n in range(10)), return_exceptions=True
    )
    assert isinstance(results[-1], StorageUnavailable)
    stored = [n for n, result in enumerate(results) if result == n]
    assert db.read(numbers) == stored  # reads go on, and nothing is half-written
    await db.write(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
    assert await db.write(insert, 100, big) == 100
    assert await db.is_writable()


async def test_health_knows_when_nothing_can_be_written(db: Database) -> None:
    def fail(connection: Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StorageUnavailable):
        await db.write(fail)
    assert await db.is_writable()  # tried out, and found well again


async def test_long_reads_see_what_is_committed(db: Database) -> None:
    await db.write(insert, 1)
    assert await asyncio.gather(*(db.read_in_pool(numbers) for _ in range(8))) == [[1]] * 8


async def test_nothing_is_taken_after_the_end(io_loop: IOLoop, tmp_path: Path) -> None:
    create_private(tmp_path / "other.db")
    other = Database(tmp_path / "other.db")
    other.close()
    with pytest.raises(StorageUnavailable):
        await other.write(insert, 1)
