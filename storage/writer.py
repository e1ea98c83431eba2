"""The writer thread: group commit, and checkpoints that keep the write-ahead log short.

All writes that arrive while a commit runs are batched into the next one; a write that fails does
not affect the others. Accounts take turns, and a batch ends by time, so that one account's writes
delay another's by one batch at most (`core.fairness`). Results are delivered in commit order, after
the commit, in one call into the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core import fairness
from core.errors import StorageUnavailable
from storage import erasure, log_guard
from storage.connection import BUSY_SECONDS, Connection, connect
from storage.files import wal_of
from storage.write_queue import Job, WriteQueue

_LARGEST_BATCH = 256  # writes in a commit; above that, the commit's share of the cost is negligible

# A checkpoint copies the log into the database and, when no reader uses the log, truncates it.
# Short reads delay that only briefly. Endlessly overlapping reads would let the log grow without
# limit, so new writes pause now and then: reads that begin meanwhile don't need the log. One long
# pause can starve on a lock that newer readers share, so there are several short ones.
WAL_BYTES = 4 << 20  # SQLite's default, 1,000 pages
LARGEST_WAL_BYTES = 32 << 20
_MOMENT = 0.025  # seconds
_CHECKPOINT_WAIT_SECONDS = 0.05  # pause of new writes each time the log has grown by `WAL_BYTES`
_HUGE_LOG_WAIT_SECONDS = 1.0  # pause of new writes when the log has its maximum size

T = TypeVar("T")

log = logging.getLogger("quillium.storage")


class _Outcome(NamedTuple):
    result: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Statistics:
    """Numbers of writes and commits since the start, and the total time that writes waited."""

    commits: int = 0
    writes: int = 0
    seconds_waited: float = 0.0


class Writer:
    """Owns the connection that writes. Create and close it on the event loop's thread."""

    def __init__(self, path: Path, on_clean_close: Callable[[], None] | None = None) -> None:
        self._on_clean_close = on_clean_close
        self._connection = connect(path, writable=True)
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the log
        try:
            self._checkpoint(_MOMENT)
        except sqlite3.Error as error:
            log.error("the write-ahead log could not be carried over: %s", error)
        self._files = (path, wal_of(path))
        self._identity = [_identity(file) for file in self._files]
        self._loop = asyncio.get_running_loop()
        self._requested: list[Job] = []  # in this iteration of the event loop
        self._jobs: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._waiting: Counter[str] = Counter()  # writes by account
        self._count_waiting = 0
        # A daemon thread, so that no failure can keep the process alive.
        self._thread = threading.Thread(target=self._run, name="quillium-writer", daemon=True)
        self._is_closed = False
        self._is_discarded = False
        self._checkpoint_at = WAL_BYTES
        self.is_well = True  # whether the last write succeeded
        self.version = 0  # grows with each commit, before its results are delivered
        self.statistics = Statistics()
        self._thread.start()

    def submit(
        self,
        work: Callable[[Connection], T],
        on_commit: Callable[[T], object] | None = None,
    ) -> asyncio.Future[T]:
        """Queue a write for the account that is charged (`core.fairness`).

        Raises `StorageUnavailable` if the queue, or the account's part of it, is full, and after
        `close`.
        """
        if self._is_closed:
            raise StorageUnavailable("The server is shutting down.")
        future: asyncio.Future[T] = self._loop.create_future()
        job = Job(work, on_commit, future)
        if (
            self._waiting[job.account] >= fairness.MAX_WRITES_WAITING_EACH
            or self._count_waiting >= fairness.MAX_WRITES_WAITING
        ):
            raise StorageUnavailable("Too many writes are waiting. Try again in a moment.")
        self._waiting[job.account] += 1
        self._count_waiting += 1
        if not self._requested:
            self._loop.call_soon(self._enqueue_requested)
        self._requested.append(job)
        return future

    def _enqueue_requested(self) -> None:
        """Wake the writer once, with all writes of this iteration of the event loop.

        If the first write woke it, both threads would compete for the GIL until the last write.
        """
        if self._requested:
            self._jobs.put(self._requested)
            self._requested = []

    def keep_deleted_content(self) -> None:
        """Let `close` leave the file as it is, because it is about to be removed."""
        self._is_discarded = True

    def close(self) -> None:
        """Finish queued writes, erase deleted content, and close the file. Blocks."""
        self._is_closed = True
        self._enqueue_requested()
        self._jobs.put(None)
        self._thread.join()
        if self._is_discarded:
            self._connection.close()
            return
        is_clean = False
        try:
            erasure.erase(self._connection)
            log_guard.forget(self._connection)
            row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            is_clean = row[0] == 0
        except sqlite3.Error as error:  # stays pending until the next clean stop
            log.error("deleted content could not be erased from the database file: %s", error)
        self._connection.close()
        if is_clean and self._on_clean_close is not None:
            self._on_clean_close()

    # On the writer's thread

    def _run(self) -> None:
        waiting = WriteQueue()
        is_closing = False
        while waiting or not is_closing:
            while not is_closing and not (waiting and self._jobs.empty()):
                jobs = self._jobs.get()
                is_closing = jobs is None
                waiting.extend(jobs or ())
            if not waiting:
                return
            batch, outcomes = self._store_some(waiting)
            self._loop.call_soon_threadsafe(self._deliver, batch, outcomes)
            self._checkpoint_if_due()

    def _store_some(self, waiting: WriteQueue) -> tuple[list[Job], list[_Outcome]]:
        """Store writes in turn by account until the batch's time is over; return them."""
        batch = [waiting.pop()]
        until = time.monotonic() + fairness.BATCH_SECONDS

        def jobs() -> Iterable[Job]:
            yield batch[0]
            while waiting and len(batch) < _LARGEST_BATCH and time.monotonic() < until:
                batch.append(waiting.pop())
                yield batch[-1]

        return batch, self._store(batch, jobs())

    def _store(
        self, batch: list[Job], jobs: Iterable[Job] | None = None, *, apart: bool = False
    ) -> list[_Outcome]:
        """Store the batch in one transaction; job by job if that fails as a whole.

        `jobs` takes the batch's jobs from the queue one by one. If a job raises, for example
        `NotFound`, the transaction is rolled back and run again with each job in a savepoint
        (`apart`). That is rare; savepoints for all would cost a tenth.
        """
        jobs = batch if jobs is None else jobs
        try:
            self._check_files()
            self._connection.execute("BEGIN IMMEDIATE")
            if apart:
                outcomes = [self._attempt(job) for job in jobs]
            else:
                outcomes = [_Outcome(job.work(self._connection)) for job in jobs]
            self._connection.execute("COMMIT")
            self.version += 1  # before anything else, because it invalidates cached reads
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if len(batch) > 1:
                return [outcome for job in batch for outcome in self._store([job])]
            return [_Outcome(error=self._failure(error))]
        except Exception:
            self._connection.execute("ROLLBACK")
            return self._store(batch, apart=True)
        try:
            self._check_files()
        except sqlite3.Error as error:  # the commit went into files that were moved meanwhile
            return [_Outcome(error=self._failure(error))] * len(batch)
        self._count(batch, outcomes)
        if not self.is_well:
            log.warning("the database can be written again")
            self.is_well = True
        return outcomes

    def _attempt(self, job: Job) -> _Outcome:
        """Run one job in a savepoint. Raises `sqlite3.Error` when the transaction is lost."""
        self._connection.execute("SAVEPOINT job")
        try:
            outcome = _Outcome(job.work(self._connection))
        except sqlite3.Error:
            raise  # a disk failure or a bug: roll everything back
        except Exception as error:
            self._connection.execute("ROLLBACK TO job")
            outcome = _Outcome(error=error)
        self._connection.execute("RELEASE job")
        return outcome

    def _check_files(self) -> None:
        """Raise `OperationalError` if the files were moved or deleted.

        The system would still accept writes to them, and acknowledged writes would be lost.
        """
        try:
            if [_identity(file) for file in self._files] == self._identity:
                return
        except OSError:
            pass
        raise sqlite3.OperationalError("the database file was moved or deleted")

    def _failure(self, error: sqlite3.Error) -> Exception:
        """Return the exception for a failed write's caller; log only the first failure in a row."""
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            return error  # a bug in this application, not a disk failure
        if self.is_well:
            log.error("the database can't be written: %s", error)
            self.is_well = False
        return StorageUnavailable("The database can't be written now; nothing was stored.")

    def _count(self, batch: list[Job], outcomes: list[_Outcome]) -> None:
        now, before = time.monotonic(), self.statistics
        self.statistics = replace(
            before,
            commits=before.commits + 1,
            writes=before.writes + sum(outcome.error is None for outcome in outcomes),
            seconds_waited=before.seconds_waited + sum(now - job.requested_at for job in batch),
        )

    def _checkpoint_if_due(self) -> None:
        """Checkpoint a log that is too long. Only new writes wait: results are delivered before."""
        try:
            size = self._files[1].stat().st_size
            if size < self._checkpoint_at:
                return
            is_huge = size >= LARGEST_WAL_BYTES
            self._checkpoint_at = size + WAL_BYTES
            if self._checkpoint(_HUGE_LOG_WAIT_SECONDS if is_huge else _CHECKPOINT_WAIT_SECONDS):
                self._checkpoint_at = WAL_BYTES
            elif is_huge:
                log.warning("a long-running reader keeps the write-ahead log at %d MiB", size >> 20)
        except (OSError, sqlite3.Error) as error:
            log.error("the write-ahead log could not be carried over: %s", error)

    def _checkpoint(self, seconds: float) -> bool:
        """Checkpoint and truncate the log, waiting for its readers for up to about `seconds`.

        Return whether the log was truncated.
        """
        return log_guard.checkpoint(self._connection, partial(self._carry_over, seconds))

    def _carry_over(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        self._connection.execute(f"PRAGMA busy_timeout = {1000 * _MOMENT:.0f}")
        try:
            while True:
                row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if row[0] == 0 or time.monotonic() >= until:
                    return bool(row[0] == 0)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {1000 * BUSY_SECONDS:.0f}")

    # On the event loop's thread

    def _deliver(self, batch: list[Job], outcomes: list[_Outcome]) -> None:
        self._count_waiting -= len(batch)
        for job, (result, error) in zip(batch, outcomes):
            self._waiting[job.account] -= 1
            if not self._waiting[job.account]:
                del self._waiting[job.account]
            if error is None and job.on_commit is not None:
                try:
                    job.context.run(job.on_commit, result)
                except Exception:  # stored anyway; go on with the batch
                    log.exception("a stored change could not be published")
            if job.future.done():  # the caller was cancelled, but its write is stored
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)


def _identity(path: Path) -> tuple[int, int]:
    """Return the device and inode of a file, to detect its replacement. Raises `OSError`."""
    found = os.stat(path)
    return found.st_dev, found.st_ino
