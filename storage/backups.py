"""Copies of a database: backups, copies made before a migration, and what a restore replaces.

A server may use the database meanwhile: a copy is the state of one commit, and nobody waits for it.
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
    """A file that can't be used as the database. Its text says why, `advice` what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


class Locked(Unusable):
    """Another program has locked the database."""


def copy(source: Path, target: Path, progress: ProgressCallback) -> None:
    """Copy a database to one new file, mode 0600, which is there whole or not at all.

    Raises `Unusable` when the source is damaged or can't be read, `FileExistsError` when the name
    is taken, and `OSError` when the copy can't be written.
    """
    with _copied(source, target, progress) as partial:
        files.publish(partial, target)


def keep(
    source: Path, target: Path, progress: ProgressCallback, *, reuse_same: bool = False
) -> Path:
    """As `copy`, to the first free name of `target`, `target-2`, …; return that name.

    With `reuse_same`, a copy of the same content that has one of these names serves as well.
    """
    with _copied(source, target, progress) as partial:
        return files.publish_numbered(partial, target, reuse_same=reuse_same)


def overwrite(database: Path, source: Path, progress: ProgressCallback) -> None:
    """Replace all that a database holds, in one transaction; `source` may be changed as well.

    Other programs that have the database open see the old state or the new one. Raises `Unusable`
    and `OSError`; then the database is as it was.
    """

    def tell(status: int, remaining: int, total: int) -> None:
        if status in _BUSY:  # after `BUSY_SECONDS`; `backup` by itself would try for ever
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
    """Have clients list everything again: they may have seen more than this database holds.

    A database that has no frame numbers yet gets such ones by its migration. Raises `Unusable`.
    """
    with usable(), closing(connect(path, writable=True)) as connection:
        if _FRAMES not in migrations.pending(connection):
            sequence.begin_anew(connection)


@contextmanager
def snapshot(path: Path) -> Iterator[Connection]:
    """Open a database for reads that all see the state of one commit."""
    with reading(path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield connection
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open a database read-only. Raises `Unusable` before SQLite sees a file that it would harm.

    SQLite deletes the log of an empty database, even when it opens the database read-only.
    """
    if not path.stat().st_size and files.size_of(files.wal_of(path)):
        raise Unusable(
            "is damaged: the file is empty, but its log is not",
            "Restore a backup: quillium restore FILE",
        )
    is_lost = log_guard.is_log_missing(path)  # a new, empty log would hide that
    with closing(connect(path, writable=False, creates_log=not is_lost)) as connection:
        yield connection


@contextmanager
def usable() -> Iterator[None]:
    """Turn what SQLite and the migrations raise for a file into `Unusable`."""
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
        raise Unusable(f"is damaged: {error}", "Restore a backup: quillium restore FILE") from None


def _locked() -> Locked:
    return Locked("is locked by another program", "Close that program")


@contextmanager
def _copied(source: Path, target: Path, progress: ProgressCallback) -> Iterator[Path]:
    """Make a copy that has a name of its own and is on the disk, for the time of the block."""
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
            writing.execute("PRAGMA journal_mode = OFF")  # a copy that fails is deleted
            writing.execute("PRAGMA synchronous = OFF")  # and one that is whole is synced once
            connection.backup(writing, pages=_PAGES_A_STEP, progress=tell)
            log_guard.forget(writing)
            writing.execute("PRAGMA journal_mode = DELETE")  # one file, not three
    except sqlite3.OperationalError as error:
        raise OSError(None, str(error)) from None


def _verify(path: Path, progress: ProgressCallback) -> None:
    """Raise `DatabaseError` if the pages of a copy don't fit together.

    Nobody would look at a damaged copy before it is needed.
    """
    progress("checking the copy", None)
    with closing(connect(path, writable=False)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found.splitlines()[-1])  # the rest is a heading


def _match_page_size(new: Connection, live: Connection) -> None:
    """Rebuild a database with the page size of another: SQLite can't change it in WAL mode."""
    (size,) = live.execute("PRAGMA page_size").fetchone()
    if new.execute("PRAGMA page_size").fetchone() != (size,):
        new.execute("PRAGMA journal_mode = DELETE")
        new.execute(f"PRAGMA page_size = {size:d}")
        new.execute("VACUUM")
