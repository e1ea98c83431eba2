"""One SQLite file, one writer, many readers; accounts take turns.

When `write` returns, its transaction is durable. A read sees the state of one commit. Short reads
run on the event loop's own connection, long ones in a thread pool.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TypeVar, TypeVarTuple, cast

from core import fairness
from core.errors import StorageUnavailable
from core.fair_slots import FairSlots
from storage.connection import Connection, connect
from storage.writer import Statistics, Writer

T = TypeVar("T")
Cacheable = TypeVar("Cacheable", bound=Hashable)  # so that callers can't modify cached objects
Arguments = TypeVarTuple("Arguments")

_MAX_CACHED = 1000  # results

log = logging.getLogger("quillium.storage")


class Database:
    """The open database of a running server. Open and close it on the event loop's thread.

    `work` always takes a connection and `arguments`. A type checker compares the arguments with
    its parameters, so a missing or swapped argument is an error.
    """

    def __init__(self, path: Path, on_clean_close: Callable[[], None] | None = None) -> None:
        """Open a database. Closing it calls `on_clean_close()` once deleted content is erased."""
        with ExitStack() as opened:
            self._writer = Writer(path, on_clean_close)
            opened.callback(self._writer.close)
            self._reader = opened.enter_context(closing(_reader(path)))
            self._pooled: queue.SimpleQueue[Connection] = queue.SimpleQueue()
            for _ in range(fairness.POOL_READS):
                self._pooled.put(opened.enter_context(closing(_reader(path))))
            self._opened = opened.pop_all()
        self._cache: dict[Hashable, object] = {}  # results by work and arguments
        self._cached_version = self._writer.version
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        self._slots = FairSlots(
            fairness.POOL_READS, fairness.POOL_READS_EACH, fairness.POOL_READS_WAITING_EACH
        )
        self._pool = ThreadPoolExecutor(fairness.POOL_READS, thread_name_prefix="quillium-reader")

    async def write(
        self,
        work: Callable[[Connection, *Arguments], T],
        *arguments: *Arguments,
        on_commit: Callable[[T], object] | None = None,
    ) -> T:
        """Run `work` in a transaction; return its result once the transaction is durable.

        `on_commit(result)` publishes the change. It is called on the event loop in commit order,
        even if the caller was cancelled meanwhile. Its exceptions are logged and do not reach the
        caller.
        `work` may run twice, because a failed batch is retried job by job, so it must have no side
        effects outside the connection. After a rollback, raises the exception of `work`. Raises
        `StorageUnavailable` when nothing was stored.
        """
        return await self._writer.submit(partial(_call, work, arguments), on_commit)

    def read(self, work: Callable[[Connection, *Arguments], T], *arguments: *Arguments) -> T:
        """Run a short, indexed read in a snapshot, on this thread. Raises `StorageUnavailable`."""
        self._check_open()
        return _read(self._reader, work, arguments)

    def cached_read(
        self, work: Callable[[Connection, *Arguments], Cacheable], *arguments: *Arguments
    ) -> Cacheable:
        """Run a read like `read`, and cache its result until the next commit.

        Meant for reads that nearly every request needs. No other process writes to the file, so a
        result stays valid from one commit to the next.
        """
        self._check_open()
        version = self._writer.version
        if version != self._cached_version or len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
            self._cached_version = version
        key = (work, arguments)
        if key not in self._cache:
            self._cache[key] = _read(self._reader, work, arguments)
        return cast(Cacheable, self._cache[key])

    async def read_in_pool(
        self, work: Callable[[Connection, *Arguments], T], *arguments: *Arguments
    ) -> T:
        """Run a long read in the thread pool: a search, an export or a deep page.

        It waits for a turn of the account that is charged (`core.fairness`). Raises `RateLimited`
        if too many reads of the account wait.
        """
        self._check_open()
        account = fairness.charged()
        await self._slots.acquire(account)
        run = partial(self._read_pooled, work, arguments)
        reading = self._loop.run_in_executor(self._pool, run)

        def release(_: object) -> None:
            self._slots.release(account)

        reading.add_done_callback(release)
        return await asyncio.shield(reading)  # a thread can't be cancelled

    def serialized(self) -> bytes:
        """Return the database file as it is after the last commit."""
        return self._reader.serialize()

    async def is_writable(self) -> bool:
        """Return whether writes succeed, tested by a write that changes nothing."""
        try:
            await self.write(_touch)
        except StorageUnavailable:
            return False
        return True

    def statistics(self) -> Statistics:
        """Return the number and the total waiting time of writes since the start."""
        return self._writer.statistics

    def close(self, *, is_discarded: bool = False) -> None:
        """Finish queued writes, then close the file. Blocks on disk I/O. Idempotent.

        `is_discarded` saves erasing the deleted content of a file that is about to be removed.
        """
        self._is_closed = True
        self._pool.shutdown()
        if is_discarded:
            self._writer.keep_deleted_content()
        self._opened.close()

    def _check_open(self) -> None:
        """Raise `StorageUnavailable` after `close`: a request may outlive the database."""
        if self._is_closed:
            raise StorageUnavailable("The server is shutting down. Try again in a moment.")

    def _read_pooled(
        self, work: Callable[[Connection, *Arguments], T], arguments: tuple[*Arguments]
    ) -> T:
        connection = self._pooled.get()
        try:
            return _read(connection, work, arguments)
        finally:
            self._pooled.put(connection)


def _reader(path: Path) -> Connection:
    """Open a reader and its files, so that it keeps working if the folder is moved or deleted."""
    connection = connect(path, writable=False)
    connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    return connection


def _call(
    work: Callable[[Connection, *Arguments], T],
    arguments: tuple[*Arguments],
    connection: Connection,
) -> T:
    return work(connection, *arguments)


def _read(
    connection: Connection,
    work: Callable[[Connection, *Arguments], T],
    arguments: tuple[*Arguments],
) -> T:
    """Run `work` in a transaction: all its statements see the same commit."""
    try:
        connection.execute("BEGIN")
        try:
            return work(connection, *arguments)
        finally:
            connection.execute("ROLLBACK")
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a bug in this application, not a disk failure
    except sqlite3.DatabaseError as error:
        log.error("the database can't be read: %s", error)
        raise StorageUnavailable("The database can't be read now.") from None


def _touch(connection: Connection) -> None:
    """Write a page without changing it; fails as any write would."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version:d}")
