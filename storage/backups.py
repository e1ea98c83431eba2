"""Copy databases: for backups, before migrations, and before a restore overwrites one.

A copy holds the state of one commit. A server can use the database meanwhile and is not blocked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from core.progress import ProgressCallback
from storage import files, log_guard, migrations, sequence
from storage.connection import Connection, connect

_PAGES_A_STEP = 1024  # 4 MiB
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
_FRAMES = "m003_frames"  # the migration that numbers frames


class Unusable(Exception):
    """A file can't be used as the database. The message says why; `advice` says what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


class Damaged(Unusable):
    """The database is damaged. Only a backup helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"is damaged: {reason}", "Restore a backup")


class Locked(Unusable):
    """The database is locked by another program."""


def copy(source: Path, target: Path, progress: ProgressCallback) -> None:
    """Copy a database to a new file with mode 0600. The file appears complete or not at all.

    Raises `Unusable` when the source is damaged or can't be read, `FileExistsError` when the name
    is taken, and `OSError` when the copy can't be written.
    """
    with _copied(source, target, progress) as partial:
        files.publish(partial, target)


def keep(
    source: Path, target: Path, progress: ProgressCallback, *, reuse_same: bool = False
) -> Path:
    """Copy to the first free name of `target`, `target-2`, …; return that name.

    With `reuse_same`, return an existing copy with one of these names if its content is the same.
    Raises as `copy`.
    """
    with _copied(source, target, progress) as partial:
        return files.publish_numbered(partial, target, reuse_same=reuse_same)


def overwrite(database: Path, source: Path, progress: ProgressCallback) -> None:
    """Replace a database's whole content in one transaction. May also modify `source`.

    Other programs that have the database open see either the old state or the new one. Raises
    `Unusable` and `OSError`; the database is then unchanged.
    """

    def tell(status: int, remaining: int, total: int) -> None:
        if status in _BUSY:  # after `BUSY_SECONDS`; `backup` itself retries without a time-out
            raise _locked()
        progress("restoring", 1 - remaining / max(total, 1))

    with (
        usable(),
        closing(connect(database, writable=True)) as live,
        closing(sqlite3.connect(source, isolation_level=None)) as new,
    ):
        _match_page_size(new, live)
        try:
            new.backup(live, pages=_PAGES_A_STEP, progress=tell)
        except sqlite3.OperationalError as error:
            raise OSError(None, str(error)) from None


def renumber(path: Path) -> None:
    """Make all clients reload: they may have received frames that this database lacks.

    Skip a database without frame numbers: its migration will assign new ones. Raises `Unusable`.
    """
    with usable(), closing(connect(path, writable=True)) as connection:
        if _FRAMES not in migrations.pending(connection):
            sequence.restart_numbering(connection)


@contextmanager
def snapshot(path: Path) -> Iterator[Connection]:
    """Open a database read-only within one transaction, so that all reads see the same commit."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield connection
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open a database read-only. Raises `Unusable` before SQLite can damage its files.

    SQLite deletes the write-ahead log of an empty database even when it opens it read-only.
    """
    if not path.stat().st_size and files.size_of(files.wal_of(path)):
        raise Damaged("the file is empty, but its log is not")
    is_lost = log_guard.is_log_missing(path)  # creating an empty log would hide the loss
    with closing(connect(path, writable=False, creates_log=not is_lost)) as connection:
        yield connection


@contextmanager
def usable() -> Iterator[None]:
    """Convert exceptions of SQLite and of the migrations to `Unusable`."""
    try:
        yield
    except migrations.NewerDatabase:
        raise Unusable("was made by a newer version of Quillium", "Install that version") from None
    except migrations.ForeignDatabase:
        raise Unusable("is not a Quillium database", "Choose another file") from None
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise _locked() from None
        raise Unusable(f"can't be opened: {error}", "Check its permissions and the disk") from None
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from None


def _locked() -> Locked:
    return Locked("is locked by another program", "Close that program")


@contextmanager
def _copied(source: Path, target: Path, progress: ProgressCallback) -> Iterator[Path]:
    """Make a temporary copy and sync it to disk; delete it when the block ends."""
    partial = files.partial_of(target)
    files.discard_database(partial)
    try:
        files.create_new(partial)
        with usable(), snapshot(source) as connection:
            _copy(connection, partial, progress)
            _verify(partial, progress)
        files.sync(partial)
        yield partial
    finally:
        files.discard_database(partial)


def _copy(connection: Connection, target: Path, progress: ProgressCallback) -> None:
    def tell(_: int, remaining: int, total: int) -> None:
        progress("copying", 1 - remaining / max(total, 1))

    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as writing:
            writing.execute("PRAGMA journal_mode = OFF")  # a failed copy is deleted
            writing.execute("PRAGMA synchronous = OFF")  # and a complete one is synced once
            connection.backup(writing, pages=_PAGES_A_STEP, progress=tell)
            log_guard.forget(writing)
            writing.execute("PRAGMA journal_mode = DELETE")  # one file, not three
    except sqlite3.OperationalError as error:
        raise OSError(None, str(error)) from None


def _verify(path: Path, progress: ProgressCallback) -> None:
    """Raise `DatabaseError` if the pages of a copy are inconsistent.

    Otherwise a damaged copy would go unnoticed until it is needed.
    """
    progress("checking the copy", None)
    with closing(connect(path, writable=False)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found.splitlines()[-1])  # the rest is a heading


def _match_page_size(new: Connection, live: Connection) -> None:
    """Rebuild `new` with the page size of `live`, which SQLite can't change in WAL mode."""
    (size,) = live.execute("PRAGMA page_size").fetchone()
    if new.execute("PRAGMA page_size").fetchone() != (size,):
        new.execute("PRAGMA journal_mode = DELETE")
        new.execute(f"PRAGMA page_size = {size:d}")
        new.execute("VACUUM")
