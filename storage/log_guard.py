"""Notice that a database's write-ahead log was deleted.

SQLite opens a database whose log is gone without an error, and all commits since the last
checkpoint are lost. So a database says whether a log belongs to it, in `PRAGMA user_version`:
`_EXPECTED` is carried into the database file, and `_WITH_LOG` stands in the log alone. Whoever
finishes the log, be it another program, carries `_WITH_LOG` over; whoever deletes it doesn't. A
database file that was copied by hand from a running server, without its log, shows as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from storage.connection import Connection
from storage.files import wal_of

# Unlike what another application would choose.
_NO_LOG, _EXPECTED, _WITH_LOG = 0, 0x51756901, 0x51756902
_HEADER_BYTES, _USER_VERSION = 100, slice(60, 64)  # https://sqlite.org/fileformat.html


def checkpoint(connection: Connection, carry_over: Callable[[], bool]) -> bool:
    """Run a checkpoint so that the log that begins after it is expected; return its result."""
    # A checkpoint waits for the disk in any case. The marks need not, which halves the cost.
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        _mark(connection, _EXPECTED)
        try:
            return carry_over()
        finally:
            _mark(connection, _WITH_LOG)
    finally:  # also when the disk is full: a commit is not acknowledged before it is synced
        connection.execute("PRAGMA synchronous = FULL")


def forget(connection: Connection) -> None:
    """Expect no log from now on: the database is being closed, or it is a copy."""
    _mark(connection, _NO_LOG)


def is_log_missing(database: Path) -> bool:
    """Whether commits are lost because the log was deleted. Opens the file, but not by SQLite."""
    if wal_of(database).exists():
        return False
    with database.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    return header[_USER_VERSION] == _EXPECTED.to_bytes(4, "big")


def _mark(connection: Connection, value: int) -> None:
    connection.execute(f"PRAGMA user_version = {value:d}")
