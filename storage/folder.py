"""The data folder: its lock, its key, its database.

One server for a folder: the lock dies with the process. It is a SQLite file of its own that is
held exclusively, because SQLite knows how to lock a file on every platform. Files are 0600 and the
folder is 0700, whatever the umask.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import messages, migrations
from storage.database import Database, connect, create_private

DATABASE = "quillium.db"
LOCK = "quillium.lock"
KEY = "signing.key"
_KEY_BYTES = 32


class FolderError(Exception):
    """The folder can't be used; its text is the one line that the user sees."""


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
        if not key:
            key = secrets.token_hex(_KEY_BYTES).encode("ascii")
            path.write_bytes(key)
        if len(key) < _KEY_BYTES:
            raise FolderError(f"the signing key {path} is too short; remove it to have a new one")
        return key

    def database(self) -> Database:
        """The database, migrated, with the replies that a crash cut off marked `interrupted`."""
        return Database(self._path / DATABASE)

    def prepare_database(self) -> None:
        path = self._path / DATABASE
        create_private(path)
        try:
            with closing(connect(path, writable=True)) as connection:
                migrations.migrate(connection)
                messages.interrupt_all(connection)
        except migrations.NewerDatabase:
            raise FolderError(
                f"the database {path} was made by a newer version of Quillium; install that"
                " version, or choose another --data-dir"
            ) from None
        except sqlite3.DatabaseError as error:
            raise FolderError(
                f"the database {path} can't be used: {error}. Put a backup in its place, or choose"
                " another --data-dir"
            ) from None


@contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    """Make the folder if need be, and hold it. Raises `FolderError` with what to do."""
    try:
        if not path.exists():  # one that is there keeps its mode: it may be somebody's home
            path.mkdir(parents=True)
            path.chmod(0o700)
        create_private(path / LOCK)
    except OSError as error:
        raise FolderError(
            f"the data folder {path} can't be used: {error.strerror}. Choose another --data-dir"
        ) from None
    with closing(sqlite3.connect(path / LOCK, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise FolderError(
                f"another server is using the data folder {path}; stop it, or choose another"
                " --data-dir"
            ) from None
        folder = DataFolder(path)
        folder.prepare_database()
        yield folder
