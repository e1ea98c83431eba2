"""Replace a database with a restored one, and keep the old one.

If this fails or is killed at any point, all acknowledged writes can still be opened: under the
database's own name or, once the restored database has that name, under the name of the kept copy.
At a moment when no database has its own name, the next start refuses (`loss`) and nothing is lost.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from core.progress import ProgressCallback
from storage import backups
from storage.files import add_name, discard, numbered, shm_of, size_of, sync, wal_of

log = logging.getLogger("quillium.storage")


def replace(database: Path, restored: Path, progress: ProgressCallback) -> Path | None:
    """Replace `database` with the checked `restored`; return the path of the kept old one.

    Raises `Locked` and `OSError`; the database is then unchanged.
    """
    if not size_of(database) and not size_of(wal_of(database)):
        for left in (wal_of(database), shm_of(database)):
            left.unlink(missing_ok=True)
        os.replace(restored, database)
        sync(database.parent)
        return None
    kept = _kept_name(database)
    try:
        before = _schema_version(database)
        kept = backups.keep(database, kept, progress)
    except backups.Locked:
        raise
    except (backups.Unusable, FileNotFoundError):
        return _replace_files(database, restored, kept)
    try:
        # Overwrite the file in place with its log: another program may have the database open.
        backups.overwrite(database, restored, progress)
    except BaseException:  # also Ctrl-C, which may arrive after the commit
        if not _is_overwritten(database, before, kept):
            raise
    return kept


def keep_orphaned_log(database: Path) -> None:
    """Move a log without a database to a free name, because SQLite would delete it."""
    log_file = wal_of(database)
    if size_of(database) or not size_of(log_file):
        return
    for kept in numbered(_kept_name(database)):
        with suppress(FileExistsError):
            add_name(log_file, wal_of(kept))
            break
    log_file.unlink()


def _kept_name(database: Path) -> Path:
    return database.with_name(f"{database.name}.replaced-{time.strftime('%Y%m%d-%H%M%S')}")


def _is_overwritten(database: Path, before: int, kept: Path) -> bool:
    """Return whether the restored contents were committed; if not, delete the kept copy."""
    try:
        is_overwritten = _schema_version(database) != before
    except (backups.Unusable, OSError):
        log.error("the database can't be read; a copy of its old content is kept as %s", kept)
        return False
    if not is_overwritten:
        discard(kept)
    return is_overwritten


def _schema_version(database: Path) -> int:
    """Return a number that changes when a database is overwritten."""
    with backups.usable(), backups.reading(database) as connection:
        return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def _replace_files(database: Path, restored: Path, kept: Path) -> Path:
    """Replace an unreadable database file by file, and keep the old files unchanged.

    The old log must not remain next to the restored database, which it would destroy. The damaged
    database is removed before its log: alone, it would look like a complete, older state.
    """
    kept = _keep_files(database, kept)
    try:
        for old in (database, wal_of(database), shm_of(database)):
            old.unlink(missing_ok=True)
        sync(database.parent)
        os.replace(restored, database)
        sync(database.parent)
    except BaseException:
        if restored.exists():
            _put_back(database, kept)
            raise
    return kept


def _keep_files(database: Path, kept: Path) -> Path:
    """Add free second names to a database and its log; return the database's."""
    for name in numbered(kept):
        with suppress(FileExistsError):
            if wal_of(name).exists():
                continue
            _add_names(database, name)
            return name
    raise AssertionError("numbered() ended")


def _add_names(database: Path, kept: Path) -> None:
    """Add names for the log, then the database: a database without its log looks complete."""
    named: list[Path] = []
    try:
        for old, new in ((wal_of(database), wal_of(kept)), (database, kept)):
            if size_of(old):
                add_name(old, new)
                named.append(new)
    except BaseException:
        for new in named:
            new.unlink(missing_ok=True)
        raise


def _put_back(database: Path, kept: Path) -> None:
    """Undo `_replace_files` as far as possible, the log first."""
    try:
        for old, new in ((wal_of(database), wal_of(kept)), (database, kept)):
            if new.exists():
                if not old.exists():
                    add_name(new, old)
                new.unlink()
    except OSError as error:
        log.error("the database could not be put back; it is kept as %s: %s", kept, error)
