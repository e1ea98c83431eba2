"""The writer: group commit, results in commit order, and a bounded log."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from core import fairness
from core.errors import Conflict, StorageUnavailable
from storage import writer
from storage.connection import Connection, connect
from storage.database import Database
from storage.files import create_private, wal_of
from storage.writer import Writer
from tests.storage.table import insert, numbers, pragma


async def test_one_that_fails_harms_no_other(db: Database) -> None:
    def failing(connection: Connection) -> int:
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


async def test_commits_are_published_in_their_order(db: Database) -> None:
    order: list[int] = []

    def publish(number: int) -> None:
        assert number in db.read(numbers)
        order.append(number)

    writes = [asyncio.ensure_future(db.write(insert, n, on_commit=publish)) for n in range(50)]
    await asyncio.sleep(0)
    writes[7].cancel()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert order == list(range(50))
    assert results[6] == 6
    assert isinstance(results[7], asyncio.CancelledError)


async def test_a_commit_that_cannot_be_published_harms_no_other(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    published: list[int] = []

    def publish(number: int) -> None:
        if number == 1:
            raise ValueError("planted")
        published.append(number)

    writes = [db.write(insert, n, on_commit=publish) for n in range(3)]
    assert await asyncio.gather(*writes) == [0, 1, 2]  # stored is stored, for its caller too
    assert published == [0, 2]
    assert "planted" in caplog.text


async def test_too_many_that_wait_are_refused(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "MAX_WRITES_WAITING", 10)
    results = await asyncio.gather(
        *(db.write(insert, n) for n in range(500)), return_exceptions=True
    )
    stored = [n for n, result in enumerate(results) if result == n]
    assert any(isinstance(result, StorageUnavailable) for result in results)
    assert db.read(numbers) == stored
    for number in range(1000, 1020):  # none of these waits
        assert await db.write(insert, number) == number


async def test_what_was_asked_for_before_the_end_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "ending.db"
    create_private(path)
    with closing(connect(path, writable=True)) as connection:
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT")
    ending = Database(path)
    writing = [asyncio.ensure_future(ending.write(insert, n)) for n in range(3)]
    await asyncio.sleep(0)  # asked for in the very round in which the end comes
    ending.close()
    assert await asyncio.gather(*writing) == [0, 1, 2]
    with closing(connect(path, writable=False)) as connection:
        assert numbers(connection) == [0, 1, 2]


async def test_a_disk_that_is_full_and_then_is_not(db: Database) -> None:
    pages = await db.write(pragma, "page_count")
    await db.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 8}").fetchone())
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


async def test_writes_that_wait_share_a_commit(db: Database) -> None:
    before = db.statistics()
    started, go_on = threading.Event(), threading.Event()

    def wait(connection: Connection) -> None:
        started.set()
        assert go_on.wait(10)

    def failing(connection: Connection) -> int:
        raise Conflict("on purpose")

    first = asyncio.ensure_future(db.write(wait))
    await asyncio.to_thread(started.wait, 10)
    others = [asyncio.ensure_future(db.write(insert, n)) for n in range(20)]
    others.append(asyncio.ensure_future(db.write(failing)))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *others, return_exceptions=True)
    after = db.statistics()
    assert after.commits == before.commits + 2
    assert after.writes == before.writes + 21
    assert after.seconds_waited > before.seconds_waited


async def charged(account: str, db: Database, *numbers: int) -> list[int]:
    """Write for an account, in a task of its own."""
    fairness.charge(account)
    return await asyncio.gather(*(db.write(insert, number) for number in numbers))


@contextlib.asynccontextmanager
async def held(db: Database) -> AsyncIterator[None]:
    """Keep the writer busy, so that what is written within waits."""
    started, go_on = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        started.set()
        assert go_on.wait(10)

    holding = asyncio.ensure_future(db.write(wait))
    await asyncio.to_thread(started.wait, 10)
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    go_on.set()
    await holding


async def test_accounts_are_served_in_turn(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "BATCH_SECONDS", 0)  # a commit for each write
    published: list[str] = []

    async def write(account: str, number: int) -> None:
        fairness.charge(account)
        await db.write(insert, number, on_commit=lambda _: published.append(fairness.charged()))

    async with held(db):
        many = [asyncio.ensure_future(write("greedy", n)) for n in range(100)]
        await asyncio.sleep(0)
        other = [asyncio.ensure_future(write("other", 100 + n)) for n in range(2)]
    await asyncio.gather(*many, *other)
    assert published[:4] == ["greedy", "other", "greedy", "other"]
    assert db.read(numbers) == list(range(102))


async def test_a_batch_ends_by_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def commits(first: int) -> int:
        """Count the commit of the write that holds the writer, and those of five that wait."""
        before = db.statistics().commits
        async with held(db):
            writing = asyncio.ensure_future(charged("a", db, *range(first, first + 5)))
        await writing
        return db.statistics().commits - before

    monkeypatch.setattr(fairness, "BATCH_SECONDS", 60)
    assert await commits(0) == 2
    monkeypatch.setattr(fairness, "BATCH_SECONDS", 0)
    assert await commits(10) == 6


async def test_one_account_does_not_fill_the_queue(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "MAX_WRITES_WAITING_EACH", 10)
    async with held(db):
        allowed = asyncio.ensure_future(charged("greedy", db, *range(10)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable):
            await charged_task("greedy", db, 10)
        other = asyncio.ensure_future(charged("other", db, 11))
    assert await other == [11]
    await allowed
    assert await charged_task("greedy", db, 10) == [10]


async def charged_task(account: str, db: Database, number: int) -> list[int]:
    return await asyncio.ensure_future(charged(account, db, number))


@pytest.fixture
def small_log(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bounds that a test reaches quickly; the log may be as large as this, in bytes."""
    monkeypatch.setattr(writer, "WAL_BYTES", 200_000)
    monkeypatch.setattr(writer, "LARGEST_WAL_BYTES", 800_000)
    return 1_300_000  # the largest, what is written between two checkpoints, and a commit


async def test_the_log_stays_short_under_load_with_an_open_reader(
    small_log: int, db: Database, tmp_path: Path
) -> None:
    """Reads that overlap without end: there is no moment at which nobody reads."""
    ended = threading.Event()

    def read_on_and_on() -> None:
        path = tmp_path / "test.db"
        with (
            closing(connect(path, writable=False)) as one,
            closing(connect(path, writable=False)) as other,
        ):
            one.execute("BEGIN")
            numbers(one)
            while not ended.is_set():
                other.execute("BEGIN")
                numbers(other)
                one.execute("COMMIT")
                one, other = other, one
            one.execute("COMMIT")

    reading = asyncio.ensure_future(asyncio.to_thread(read_on_and_on))
    largest = 0
    for n in range(300):
        await db.write(insert, n, "x" * 20_000)
        largest = max(largest, (tmp_path / "test.db-wal").stat().st_size)
    ended.set()
    await reading
    assert largest < small_log
    assert db.read(numbers) == list(range(300))


async def test_a_reader_that_does_not_end_costs_no_write(
    small_log: int, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(writer, "_HUGE_LOG_WAIT_SECONDS", 0.01)
    with closing(connect(tmp_path / "test.db", writable=False)) as reader:
        reader.execute("BEGIN")
        assert numbers(reader) == []
        for n in range(100):
            assert await db.write(insert, n, "x" * 20_000) == n
        assert numbers(reader) == []
    assert "a long-running reader keeps the write-ahead log" in caplog.text
    for n in range(100, 140):
        await db.write(insert, n, "x" * 20_000)
    assert (tmp_path / "test.db-wal").stat().st_size < small_log


async def test_a_file_that_is_moved_away_and_back(db: Database, tmp_path: Path) -> None:
    """The system would let us write on to a file that has no name any more."""
    path = tmp_path / "test.db"
    await db.write(insert, 1)
    for file in (path, wal_of(path)):
        moved = file.rename(tmp_path / "moved")
        with pytest.raises(StorageUnavailable):
            await db.write(insert, 2)
        assert not await db.is_writable()
        assert db.read(numbers) == [1]
        file.touch()  # another file of its name is not it
        with pytest.raises(StorageUnavailable):
            await db.write(insert, 2)
        moved.replace(file)
        assert await db.is_writable()
    assert await db.write(insert, 2) == 2


async def test_what_went_into_a_deleted_file_is_not_acknowledged(
    db: Database, tmp_path: Path
) -> None:
    path = tmp_path / "test.db"

    def vanish(connection: Connection) -> None:
        insert(connection, 1)
        path.rename(tmp_path / "moved")

    with pytest.raises(StorageUnavailable):
        await db.write(vanish)
    (tmp_path / "moved").rename(path)
    assert await db.write(insert, 2) == 2


async def test_nothing_is_taken_after_the_end(io_loop: IOLoop, tmp_path: Path) -> None:
    create_private(tmp_path / "other.db")
    other = Database(tmp_path / "other.db")
    other.close()
    with pytest.raises(StorageUnavailable):
        await other.write(insert, 1)


async def test_each_write_is_synced_also_after_a_checkpoint_that_failed(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint lowers `synchronous` for a moment."""

    def fail(self: Writer, seconds: float) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Writer, "_carry_over", fail)
    monkeypatch.setattr(writer, "WAL_BYTES", 1)
    db._writer._checkpoint_at = 1
    for number in range(3):
        await db.write(insert, number)
        assert await db.write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0]) == 2
