"""Detect that a database's write-ahead log was deleted.

SQLite opens a database without its log and reports no error, and all commits since the last
checkpoint are lost. So `PRAGMA user_version` records whether a log belongs to the database:
`_EXPECTED` is checkpointed into the database file, and `_WITH_LOG` is written to the log alone. A
program that checkpoints the log copies `_WITH_LOG` into the file; deleting the log does not. This
also detects a database file that was copied from a running server without its log.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from storage.connection import Connection
from storage.files import wal_of

# Arbitrary values that other applications are unlikely to use.
_NO_LOG, _EXPECTED, _WITH_LOG = 0, 0x51756901, 0x51756902
_HEADER_BYTES, _USER_VERSION = 100, slice(60, 64)  # https://sqlite.org/fileformat.html


def checkpoint(connection: Connection, carry_over: Callable[[], bool]) -> bool:
    """Run a checkpoint, and mark the log that follows it as expected; return its result."""
    # A checkpoint syncs anyway. Writing the marks without a sync halves the cost.
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        _mark(connection, _EXPECTED)
        try:
            return carry_over()
        finally:
            _mark(connection, _WITH_LOG)
    finally:  # also when the disk is full: commits are acknowledged only after a sync
        connection.execute("PRAGMA synchronous = FULL")


def forget(connection: Connection) -> None:
    """Stop expecting a log, because the database is being closed or is a copy."""
    _mark(connection, _NO_LOG)


def is_log_missing(database: Path) -> bool:
    """Return whether commits were lost with a deleted log. Reads the file without SQLite."""
    if wal_of(database).exists():
        return False
    with database.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    return header[_USER_VERSION] == _EXPECTED.to_bytes(4, "big")


def _mark(connection: Connection, value: int) -> None:
    connection.execute(f"PRAGMA user_version = {value:d}")
