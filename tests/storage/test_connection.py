"""Opening database files: durable, private, with a single writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.connection import Connection, connect


def pragma(connection: Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_is_written_is_synced_and_checked(connection: Connection) -> None:
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 2  # FULL
    assert pragma(connection, "secure_delete") == 1
    assert pragma(connection, "foreign_keys") == 1
    assert pragma(connection, "wal_autocheckpoint") == 0


def test_a_reader_can_not_write(connection: Connection, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "quillium.db", writable=False)) as reader:
        assert pragma(reader, "wal_autocheckpoint") == 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM users")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for writable in (True, False):
        with pytest.raises(sqlite3.OperationalError):
            connect(tmp_path / "none.db", writable=writable)
    assert list(tmp_path.iterdir()) == []


def test_something_else_than_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("This is no database, but it is long enough to look like one." * 50)
    with pytest.raises(sqlite3.DatabaseError):
        connect(path, writable=True)
