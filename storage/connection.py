"""How this application opens SQLite files, and makes private ones."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from storage import search_text

Connection = sqlite3.Connection

BUSY_SECONDS = 5.0


def connect(path: Path, *, writable: bool) -> Connection:
    """A connection as this application needs it. May be used from any one thread at a time.

    SQLite before 3.51.3 can corrupt a WAL when two connections checkpoint or write at once. So
    only one connection to a file may be writable, and it alone checkpoints, when the writer says
    so; all others are opened read-only. Raises `sqlite3.DatabaseError`.
    """
    mode = "rw" if writable else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        if writable:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        search_text.register(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def wal_of(path: Path) -> Path:
    """The write-ahead log of a database: what was committed and not yet carried over."""
    return path.with_name(path.name + "-wal")


def create_private(path: Path) -> None:
    """Make the file if it is not there, mode 0600 whatever the umask.

    SQLite makes the WAL and its index with the mode of the database file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def sync(path: Path) -> None:
    """Have the disk keep a file's content, or which names a folder holds. Raises `OSError`."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders; its file systems keep names in a journal of their own
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
