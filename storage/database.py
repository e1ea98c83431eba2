"""One SQLite file, one writer, many readers.

The promise: what `write` has answered is on the disk. Every write runs on one thread; all that
were waiting while the last commit ran go into the next one (group commit), each in a savepoint of
its own, so that one that fails harms no other. Their results are delivered in commit order, after
the commit, in one call into the event loop.

Reads see only what is committed. Short ones run on the loop's own connection, long ones in a pool.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from core.errors import QuilliumError, StorageUnavailable
from storage import search_text

P = ParamSpec("P")
T = TypeVar("T")
Connection = sqlite3.Connection

MOST_WAITING = 1000  # writes; at 20,000 a second none of them waits longer than 50 ms
_LARGEST_BATCH = 256  # writes a commit: beyond it the commit's own cost no longer shows
_BUSY_SECONDS = 5.0
_POOL_THREADS = 2

log = logging.getLogger("quillium.storage")


class _Job(NamedTuple):
    work: Callable[[Connection], Any]
    then: Callable[[Any], Any] | None
    future: asyncio.Future[Any]


class _Outcome(NamedTuple):
    result: Any = None
    error: BaseException | None = None


def connect(path: Path, *, writable: bool) -> Connection:
    """A connection as this application needs it; only one in the process may be writable.

    SQLite before 3.51.3 can corrupt a WAL when two connections checkpoint or write at once, so
    readers are `query_only` and never checkpoint. May be used from any one thread at a time.
    """
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    if writable:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
    else:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    search_text.register(connection)
    return connection


def create_private(path: Path) -> None:
    """Make the file if it is not there, mode 0600 whatever the umask.

    SQLite makes the WAL and its index with the mode of the database file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


class Database:
    """The open database of a running server. Made and closed on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = connect(path, writable=True)
        self._reader = connect(path, writable=False)
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_until_closed, name="quillium-writer")
        self._pool = ThreadPoolExecutor(_POOL_THREADS, thread_name_prefix="quillium-reader")
        self._pooled: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._writable = True
        self._closed = False
        self._thread.start()

    async def write(
        self,
        work: Callable[..., T],
        *arguments: Any,
        then: Callable[[T], Any] | None = None,
    ) -> Any:
        """Run `work(connection, *arguments)` in the writer's transaction; its result, once durable.

        `then(result)` is called on the loop in commit order, before any later write is announced,
        and even if the caller was cancelled meanwhile; what it returns is what the caller gets.
        `work` may be run twice (a batch that failed is tried again one by one), so it may touch
        nothing but the connection. Raises what `work` raises, after its changes were undone, or
        `StorageUnavailable` when nothing was stored.
        """
        if self._closed or self._jobs.qsize() >= MOST_WAITING:
            raise StorageUnavailable("Too many writes are waiting. Try again in a moment.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Job(lambda connection: work(connection, *arguments), then, future))
        return await future

    def read(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a short, indexed read at once. Raises `StorageUnavailable`."""
        return _read(self._reader, work, *arguments)

    async def read_in_pool(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run a read that may take long (search, export, a deep page) off the loop."""
        return await self._loop.run_in_executor(self._pool, self._read_pooled, work, arguments)

    async def is_writable(self) -> bool:
        """Whether a write would be stored: known from the last one, tried out when it failed."""
        if not self._writable:
            try:
                await self.write(_touch)
            except StorageUnavailable:
                return False
        return self._writable

    def close(self) -> None:
        """Finish the writes that wait, then let go of the file. Waits for the disk."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._pool.shutdown()
        while not self._pooled.empty():
            self._pooled.get().close()
        self._reader.close()
        self._writer.close()  # the last connection: SQLite checkpoints and removes the WAL

    def _read_pooled(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            connection = self._pooled.get_nowait()
        except queue.Empty:
            connection = connect(self._path, writable=False)
        try:
            return _read(connection, work, *arguments)
        finally:
            self._pooled.put(connection)

    # The writer's thread

    def _write_until_closed(self) -> None:
        while job := self._jobs.get():
            batch = [job]
            closing = False
            while len(batch) < _LARGEST_BATCH and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    closing = True
                    break
                batch.append(following)
            outcomes = self._commit(batch)
            self._loop.call_soon_threadsafe(self._deliver, batch, outcomes)
            if closing:
                return

    def _commit(self, batch: list[_Job]) -> list[_Outcome]:
        """Store the batch in one transaction; one by one when that fails as a whole."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(job) for job in batch]
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if len(batch) > 1:
                return [outcome for job in batch for outcome in self._commit([job])]
            return [_Outcome(error=self._unavailable(error))]
        if not self._writable:
            log.warning("the database can be written again")
            self._writable = True
        return outcomes

    def _attempt(self, job: _Job) -> _Outcome:
        """Run one job in a savepoint. Raises `sqlite3.Error` when the transaction is lost."""
        self._writer.execute("SAVEPOINT job")
        try:
            outcome = _Outcome(job.work(self._writer))
        except sqlite3.Error:
            raise  # the disk, or a bug: undo all, so that nothing is stored beside a failure
        except Exception as error:
            self._writer.execute("ROLLBACK TO job")
            outcome = _Outcome(error=error)
        self._writer.execute("RELEASE job")
        return outcome

    def _unavailable(self, error: sqlite3.Error) -> Exception:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            return error  # a bug of ours, not of the disk
        if self._writable:
            log.error("the database can't be written: %s", error)
            self._writable = False
        return StorageUnavailable("The database can't be written now; nothing was stored.")

    # Back on the loop

    def _deliver(self, batch: list[_Job], outcomes: list[_Outcome]) -> None:
        for job, (result, error) in zip(batch, outcomes):
            if error is None and job.then is not None:
                try:
                    result = job.then(result)
                except Exception as failure:
                    log.exception("what follows a write failed")
                    error = failure
            if job.future.done():  # the caller was cancelled; what it asked for is stored
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)


def _read(connection: Connection, work: Callable[..., T], *arguments: Any) -> T:
    try:
        return work(connection, *arguments)
    except QuilliumError:
        raise
    except sqlite3.OperationalError as error:
        log.error("the database can't be read: %s", error)
        raise StorageUnavailable("The database can't be read now.") from None


def _touch(connection: Connection) -> None:
    """Write a page and nothing new: fails as any write would."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version:d}")
