"""One SQLite file, one writer, many readers.

The promise: what `write` has answered is on the disk. A read sees what is committed at one moment;
short ones run on the event loop's own connection, long ones in a pool.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from core.errors import StorageUnavailable
from storage.connection import Connection, connect
from storage.writer import Statistics, Writer

P = ParamSpec("P")
T = TypeVar("T")

_POOL_THREADS = 2
_MAX_REMEMBERED = 1000  # answers

log = logging.getLogger("quillium.storage")


class Database:
    """The open database of a running server. Made and closed on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        self._writer = Writer(path)
        self._reader = _reader(path)
        self._memory: dict[Any, Any] = {}  # answers by question, true at the commit
        self._remembered_at = self._writer.version
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(_POOL_THREADS, thread_name_prefix="quillium-reader")
        self._pooled: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        for _ in range(_POOL_THREADS):
            self._pooled.put(_reader(path))

    async def write(
        self,
        work: Callable[..., T],
        *arguments: Any,
        on_commit: Callable[[T], Any] | None = None,
        on_rollback: Callable[[], None] | None = None,
    ) -> Any:
        """Run `work(connection, *arguments)` in the writer's transaction; return its result.

        It returns once the result is durable. `on_commit(result)` is called on the loop in commit
        order, before any later write is announced, and even if the caller was cancelled
        meanwhile; what it returns is what the caller gets.
        In its place, `on_rollback()` is called when nothing was stored.
        `work` may be run twice (a batch that failed is tried again one by one), so it may touch
        nothing but the connection. Raises what `work` raises, after its changes were undone, or
        `StorageUnavailable` when nothing was stored.
        """
        try:
            written = self._writer.submit(
                lambda connection: work(connection, *arguments), on_commit, on_rollback
            )
        except StorageUnavailable:
            if on_rollback is not None:
                on_rollback()
            raise
        return await written

    def read(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a short, indexed read at once. Raises `StorageUnavailable`."""
        return _read(self._reader, work, *arguments)

    def read_one(self, work: Callable[..., T], *arguments: Any) -> T:
        """As `read`, for a work of one statement: that sees one moment without a transaction."""
        return _reading(work, self._reader, *arguments)

    def cached_read(self, work: Callable[..., T], *arguments: Any) -> T:
        """As `read_one`, asked of the database only once until something is written.

        For what nearly every request asks. Nobody else writes to the file, so what was true at a
        commit is true until the next one.
        """
        version = self._writer.version
        if version != self._remembered_at or len(self._memory) >= _MAX_REMEMBERED:
            self._memory.clear()
            self._remembered_at = version
        question = (work, arguments)
        if question not in self._memory:
            self._memory[question] = self.read_one(work, *arguments)
        answer: T = self._memory[question]
        return answer

    async def read_in_pool(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a read that may take long (search, export, a deep page) off the loop."""
        return await self._loop.run_in_executor(self._pool, self._read_pooled, work, arguments)

    async def is_writable(self) -> bool:
        """Whether a write would be stored; tried out, so that nobody has to find out."""
        try:
            await self.write(_touch)
        except StorageUnavailable:
            return False
        return True

    def statistics(self) -> Statistics:
        """How much was written since the start, and how long it waited (for `/metrics`)."""
        return self._writer.statistics

    def close(self) -> None:
        """Finish the writes that wait, then let go of the file. Waits for the disk."""
        self._pool.shutdown()
        while not self._pooled.empty():
            self._pooled.get().close()
        self._reader.close()
        self._writer.close()

    def _read_pooled(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        connection = self._pooled.get()
        try:
            return _read(connection, work, *arguments)
        finally:
            self._pooled.put(connection)


def _reader(path: Path) -> Connection:
    """A connection that has opened its files, so that it can read on if their folder vanishes."""
    connection = connect(path, writable=False)
    connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    return connection


def _read(connection: Connection, work: Callable[..., T], *arguments: Any) -> T:
    """Run a read in one transaction: what it puts together is of one moment."""
    read: T = _reading(_in_transaction, connection, work, *arguments)
    return read


def _in_transaction(connection: Connection, work: Callable[..., T], *arguments: Any) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection, *arguments)
    finally:
        connection.execute("ROLLBACK")


def _reading(work: Callable[..., T], *arguments: Any) -> T:
    try:
        return work(*arguments)
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a bug of ours, not of the disk
    except sqlite3.DatabaseError as error:
        log.error("the database can't be read: %s", error)
        raise StorageUnavailable("The database can't be read now.") from None


def _touch(connection: Connection) -> None:
    """Write a page and nothing new: fails as any write would."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version:d}")
