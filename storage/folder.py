"""The data folder: its lock, its key, its database.

One server for a folder: the lock dies with the process. It is a SQLite file of its own that is
held exclusively, because SQLite knows how to lock a file on every platform. Files are 0600 and the
folder is 0700, whatever the umask.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from core.progress import ProgressCallback
from storage import maintenance, migrations, turns
from storage.connection import connect, create_private, sync
from storage.database import Database

DATABASE = "quillium.db"
LOCK = "quillium.lock"
KEY = "signing.key"
DOOR = "server.json"
_KEY_BYTES = 32


class FolderError(Exception):
    """The folder can't be used; its text is the one line that the user sees."""


class FolderInUse(FolderError):
    """A server holds it."""


class ControlEndpoint(NamedTuple):
    """Where the server that holds a folder listens, and the key for commands of its owner."""

    url: str
    key: str


class DataFolder:
    """A folder that this process holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def secret(self) -> bytes:
        """The key that signs tokens, made once and kept, so that sessions outlive a restart."""
        path = self._path / KEY
        if not path.exists():
            create_private(path)
        key = path.read_bytes()
        if not key:  # a start that was killed left it empty
            key = secrets.token_hex(_KEY_BYTES).encode("ascii")
            path.write_bytes(key)
            sync(path)
            sync(self._path)
        if len(key) < _KEY_BYTES:
            raise FolderError(f"the signing key {path} is too short; remove it to have a new one")
        return key

    def database(self, progress: ProgressCallback) -> Database:
        """The database, migrated, with the replies that a crash cut off marked `interrupted`.

        Before the first migration that is pending, a copy is made. Raises `FolderError`; then the
        file is as it was.
        """
        path = self._path / DATABASE
        try:
            if path.exists() and path.stat().st_size:
                lacking = maintenance.inspect(path)
                if lacking:
                    copy = self._path / f"quillium-before-{lacking[0]}.db"
                    maintenance.copy(path, copy, progress)
            create_private(path)
            with closing(connect(path, writable=True)) as connection:
                migrations.migrate(connection)
                turns.interrupt_all(connection)
            sync(self._path)
        except maintenance.Unusable as error:
            raise FolderError(
                f"the database {path} {error}. {error.advice}, or choose another --data-dir"
            ) from None
        except (sqlite3.OperationalError, OSError) as error:
            raise FolderError(
                f"the database {path} can't be written: {_text(error)}. Look at its permissions"
                " and the room on the disk, or choose another --data-dir"
            ) from None
        return Database(path)

    @contextmanager
    def control_endpoint(self, url: str) -> Iterator[ControlEndpoint]:
        """Let commands of whoever may read the folder find this server, as long as it serves."""
        path, door = self._path / DOOR, ControlEndpoint(url, secrets.token_urlsafe(32))
        create_private(path)
        path.write_text(json.dumps(door._asdict()), encoding="utf-8")
        try:
            yield door
        finally:
            with suppress(OSError):
                path.unlink()

    def restore(
        self, file: Path, progress: ProgressCallback
    ) -> tuple[maintenance.Report, Path | None]:
        """Put a backup in the database's place; what it holds, and where the old one is kept.

        The backup is copied and checked before anything is changed, and takes its place in one
        step. Raises `FolderError`; then the database is as it was.
        """
        path = self._path / DATABASE
        if not file.is_file() or (path.exists() and file.samefile(path)):
            raise FolderError(f"{file} is not a backup: there is no such file, or it is in use")
        copy = self._path / "quillium.db.restored"
        try:
            maintenance.copy(file, copy, progress)
            report = maintenance.check(copy, progress)
            if report.problems:
                raise FolderError(
                    f"the backup {file} is damaged ({report.problems[0]}); nothing was changed"
                )
            maintenance.renumber(copy)
            kept = self._set_aside(path) if path.exists() else None
            os.replace(copy, path)
            sync(self._path)
        except maintenance.Unusable as error:
            raise FolderError(f"the backup {file} {error}; nothing was changed") from None
        except OSError as error:
            raise FolderError(
                f"the backup {file} can't be restored: {_text(error)}; nothing was changed"
            ) from None
        finally:
            for left in (copy, *_beside(copy)):
                left.unlink(missing_ok=True)
        return report, kept

    def _set_aside(self, path: Path) -> Path:
        """Keep the database under another name as well; the name that it has is then free.

        Its log goes into it, so that all is in one file. Of one too damaged for that, the log is
        moved away first: beside another database it would destroy that.
        """
        with suppress(sqlite3.DatabaseError), closing(connect(path, writable=True)):
            pass  # closing the last connection carries the log over and removes it
        kept = path.with_name(f"{path.name}.replaced-{time.strftime('%Y%m%d-%H%M%S')}")
        for left, moved in zip(_beside(path), _beside(kept)):
            if left.exists():
                os.replace(left, moved)
        try:
            os.link(path, kept)
        except OSError:  # not every file system knows links
            shutil.copyfile(path, kept)
            kept.chmod(0o600)
        return kept


def backup(data_dir: Path, file: Path, progress: ProgressCallback) -> maintenance.Report:
    """Copy the database to a new file, whether a server is using it or not; what the copy holds.

    Raises `FolderError`; then there is no new file.
    """
    path = _existing(data_dir)
    if file.exists():
        raise FolderError(f"{file} is there already; choose another name, nothing was overwritten")
    try:
        maintenance.copy(path, file, progress)
        return maintenance.Report([], *maintenance.contents(file))
    except maintenance.Unusable as error:
        raise FolderError(f"the database {path} {error}. {error.advice}") from None
    except OSError as error:
        raise FolderError(f"the backup {file} can't be written: {_text(error)}") from None


def check(data_dir: Path, progress: ProgressCallback) -> maintenance.Report:
    """Whether the database is sound, whether a server is using it or not. Raises `FolderError`."""
    path = _existing(data_dir)
    try:
        return maintenance.check(path, progress)
    except maintenance.Unusable as error:
        return maintenance.Report([f"{path} {error}. {error.advice}"])


def control_endpoint_of(data_dir: Path) -> ControlEndpoint | None:
    """Where the server that holds the folder is found; None if it hasn't said so."""
    try:
        return ControlEndpoint(**json.loads((data_dir / DOOR).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database: its log, and the log's index."""
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]


def _existing(data_dir: Path) -> Path:
    path = data_dir / DATABASE
    if not path.exists():
        raise FolderError(f"there is no database in {data_dir}; name its folder with --data-dir")
    return path


def _unusable(path: Path, why: str) -> FolderError:
    return FolderError(f"the data folder {path} can't be used: {why}. Choose another --data-dir")


def _text(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def locked(path: Path) -> Iterator[DataFolder]:
    """Make the folder if need be, and hold it. Raises `FolderError` with what to do."""
    try:
        if not path.exists():  # one that is there keeps its mode: it may be somebody's home
            path.mkdir(parents=True)
            path.chmod(0o700)
        create_private(path / LOCK)
    except OSError as error:
        raise _unusable(path, _text(error)) from None
    with closing(sqlite3.connect(path / LOCK, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise FolderInUse(
                    f"another server is using the data folder {path}; stop it, or choose another"
                    " --data-dir"
                ) from None
            raise _unusable(path, str(error)) from None
        with suppress(OSError):
            (path / DOOR).unlink()  # of a server that was killed
        yield DataFolder(path)
