"""A deleted write-ahead log is detected; one that was checkpointed is not reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import log_guard
from storage.connection import Connection
from storage.files import wal_of


def carry_over(connection: Connection) -> bool:
    row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(row[0] == 0)


def copied(connection: Connection, tmp_path: Path) -> Path:
    """The database file without its log, as somebody copies it by hand."""
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "quillium.db").read_bytes())
    return copy


def test_a_log_that_begins_after_a_checkpoint_is_expected(
    connection: Connection, tmp_path: Path
) -> None:
    assert log_guard.checkpoint(connection, lambda: carry_over(connection))
    assert not log_guard.is_log_missing(tmp_path / "quillium.db")  # it is there
    assert log_guard.is_log_missing(copied(connection, tmp_path))


def test_a_log_that_another_program_finished_is_not_missed(
    connection: Connection, tmp_path: Path
) -> None:
    log_guard.checkpoint(connection, lambda: carry_over(connection))
    carry_over(connection)
    assert not log_guard.is_log_missing(copied(connection, tmp_path))


def test_no_log_is_expected_once_it_is_forgotten(connection: Connection, tmp_path: Path) -> None:
    log_guard.checkpoint(connection, lambda: carry_over(connection))
    log_guard.forget(connection)
    carry_over(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    assert not log_guard.is_log_missing(copied(connection, tmp_path))


def test_a_log_counts_as_there_however_short_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"\0" * 60 + bytes.fromhex("51756901"))
    assert log_guard.is_log_missing(path)
    wal_of(path).touch()
    assert not log_guard.is_log_missing(path)


def test_a_checkpoint_returns_its_result_and_does_not_wait_for_the_disk_twice(
    connection: Connection,
) -> None:
    def unfinished() -> bool:
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        return False

    assert log_guard.checkpoint(connection, unfinished) is False
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_checkpoint_that_fails_marks_the_log_and_syncs_again(connection: Connection) -> None:
    def fail() -> bool:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        log_guard.checkpoint(connection, fail)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA user_version").fetchone() == (0x51756902,)
