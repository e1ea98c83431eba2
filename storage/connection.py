"""Open SQLite files with the pragmas and functions of this application."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.identity import normalized_email
from storage import search_text

Connection = sqlite3.Connection

BUSY_SECONDS = 5.0


def connect(path: Path, *, writable: bool, creates_log: bool = True) -> Connection:
    """Open a database. Threads may share the connection, but only one may use it at a time.

    SQLite before 3.51.3 can corrupt the log when two connections checkpoint or write at once. So
    only one connection to a file may be writable. It alone checkpoints, when the writer decides;
    all others are read-only. Without `creates_log`, the file must not be written to meanwhile.
    Raises `sqlite3.DatabaseError`.
    """
    mode = ("rw" if writable else "ro") + ("" if creates_log else "&immutable=1")
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
            # Such as for VACUUM: nothing is written outside the data folder.
            folder = str(path.absolute().parent).replace("'", "''")
            connection.execute(f"PRAGMA temp_store_directory = '{folder}'")
        search_text.register(connection)
        connection.create_function("normalized_email", 1, normalized_email, deterministic=True)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_violated(error: sqlite3.IntegrityError, *columns: str) -> bool:
    """Return whether the unique constraint on these columns, such as `users.email_key`, failed.

    The failure of any other constraint is a bug, not a conflict that the user caused.
    """
    return str(error) == f"UNIQUE constraint failed: {', '.join(columns)}"
