"""Backups: complete or absent, of one commit, and never over another file."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.records import User
from storage import backups, maintenance, sequence
from storage.connection import Connection, connect
from storage.files import create_private, wal_of
from tests.conftest import Client
from tests.storage.facts import chat, database, say, user
from tests.storage.test_maintenance import fill, quietly


@pytest.fixture
def path(connection: Connection, tmp_path: Path) -> Path:
    """The database of `connection`."""
    return tmp_path / "quillium.db"


def titles(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [row[0] for row in opened.execute("SELECT title FROM chats ORDER BY number")]


async def test_a_copy_is_one_private_file_of_one_moment(
    ada: Client, rooms: Any, data_dir: Path, tmp_path: Path
) -> None:
    chat = await fill(ada)
    database, copy = data_dir / "quillium.db", tmp_path / "copy.db"
    told: list[tuple[str, float | None]] = []

    backups.copy(database, copy, lambda doing, share: told.append((doing, share)))
    assert told[0] == ("copying", 1)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert maintenance.check(copy, quietly).messages == 4
    assert not copy.with_name("copy.db-wal").exists()
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    await ada.say(chat, "One more")
    assert maintenance.contents(copy)[2] == 4
    assert maintenance.contents(database)[2] == 6


def test_a_copy_replaces_nothing(path: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    with pytest.raises(FileExistsError):
        backups.copy(path, taken, quietly)
    assert taken.read_text() == "mine"
    assert not list(tmp_path.glob("*.partial*"))


def test_a_copy_of_a_damaged_database_is_not_there(path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no database at all, and longer than a header " * 100)
    with pytest.raises(backups.Damaged, match="is damaged") as raised:
        backups.copy(damaged, tmp_path / "copy.db", quietly)
    assert raised.value.advice == "Restore a backup"
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_that_is_kept_takes_the_first_free_name(
    path: Path, connection: Connection, owner: User, tmp_path: Path
) -> None:
    target = tmp_path / "kept.db"
    assert backups.keep(path, target, quietly) == target
    assert backups.keep(path, target, quietly, reuse_same=True) == target
    assert backups.keep(path, target, quietly) == tmp_path / "kept-2.db"
    chat(connection, owner)
    assert backups.keep(path, target, quietly, reuse_same=True) == tmp_path / "kept-3.db"
    assert titles(tmp_path / "kept-3.db") == ["Title"]


def test_a_database_that_is_overwritten_holds_the_other_one(
    path: Path, connection: Connection, owner: User, tmp_path: Path
) -> None:
    chat(connection, owner, "chat_1", "Old")
    backups.copy(path, tmp_path / "copy.db", quietly)
    chat(connection, owner, "chat_2", "New")
    told: list[tuple[str, float | None]] = []
    backups.overwrite(path, tmp_path / "copy.db", lambda doing, share: told.append((doing, share)))
    assert told[-1] == ("restoring", 1)
    assert [row[0] for row in connection.execute("SELECT title FROM chats")] == ["Old"]


def test_a_source_with_another_page_size_is_rebuilt(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "small.db", isolation_level=None)) as small:
        small.execute("PRAGMA page_size = 1024")
        small.execute("CREATE TABLE t (n)")
        small.execute("INSERT INTO t VALUES (7)")
    backups.overwrite(path, tmp_path / "small.db", quietly)
    with closing(connect(path, writable=False)) as opened:
        assert opened.execute("SELECT n FROM t").fetchone() == (7,)
        assert opened.execute("PRAGMA page_size").fetchone() == (4096,)


def test_clients_list_everything_again_after_renumbering(
    path: Path, connection: Connection, owner: User
) -> None:
    chat(connection, owner)
    say(connection, owner, "Hello")
    before = sequence.next_seq(connection, owner.row_id)
    backups.renumber(path)
    after = sequence.next_seq(connection, owner.row_id)
    assert after > before + 1_000_000


def test_a_snapshot_sees_one_commit(path: Path, connection: Connection, owner: User) -> None:
    with backups.snapshot(path) as reading:
        user(connection, "bob")
        assert reading.execute("SELECT COUNT(*) FROM users").fetchone() == (1,)
    with backups.snapshot(path) as reading:
        assert reading.execute("SELECT COUNT(*) FROM users").fetchone() == (2,)


def test_an_empty_database_keeps_its_log(tmp_path: Path) -> None:
    """SQLite would delete the log when it opens the database."""
    path = tmp_path / "empty.db"
    create_private(path)
    wal_of(path).write_bytes(b"commits")
    with pytest.raises(backups.Unusable, match="the file is empty"), backups.reading(path):
        pass
    assert wal_of(path).read_bytes() == b"commits"


def test_reading_makes_no_log_where_it_is_missing(tmp_path: Path) -> None:
    with database(tmp_path / "a.db"):
        content = (tmp_path / "a.db").read_bytes()
    path = tmp_path / "b.db"
    path.write_bytes(content)
    header = bytearray(content)
    header[60:64] = bytes.fromhex("51756901")  # a log is expected
    path.write_bytes(header)
    with backups.reading(path) as reading:
        reading.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        assert not wal_of(path).exists()


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (sqlite3.OperationalError("database is locked"), backups.Locked, "is locked by another"),
        (sqlite3.OperationalError("disk I/O error"), backups.Unusable, "can't be opened: disk I/O"),
        (sqlite3.DatabaseError("malformed"), backups.Damaged, "is damaged: malformed"),
    ],
)
def test_errors_of_sqlite_say_why(error: sqlite3.Error, kind: type[Any], reason: str) -> None:
    with pytest.raises(backups.Unusable, match=reason) as raised, backups.usable():
        raise error
    assert type(raised.value) is kind
    assert raised.value.advice
