"""Detecting a data folder that lost its database, or the log with the last commits."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from storage import loss, maintenance
from storage.connection import Connection
from storage.files import wal_of


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "quillium.db"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "secret.key"


def test_a_new_folder_has_lost_nothing(database: Path, key: Path) -> None:
    assert loss.find(database, key) is None
    database.touch()
    key.touch()
    assert loss.find(database, key) is None


def test_a_database_that_is_there_is_no_loss(
    connection: Connection, database: Path, key: Path
) -> None:
    key.write_bytes(b"key")
    assert loss.find(database, key) is None


def test_a_log_that_belongs_to_the_database(database: Path, key: Path) -> None:
    database.write_bytes(b"\0" * 60 + bytes.fromhex("51756901"))
    assert loss.find(database, key) == (
        f"the log {wal_of(database)} is missing: it held the most recent changes"
    )
    wal_of(database).write_bytes(b"log")
    assert loss.find(database, key) is None


@pytest.mark.parametrize("state", ["is missing", "is empty"])
@pytest.mark.parametrize(
    ("left", "evidence"),
    [
        ("quillium.db-wal", "but its log is there"),
        ("secret.key", "but its signing key is there"),
        ("quillium.db.replaced-2026-01-01", "but a restore has kept an older one"),
    ],
)
def test_a_database_of_which_something_is_left(
    database: Path, key: Path, state: str, left: str, evidence: str
) -> None:
    if state == "is empty":
        database.touch()
    database.with_name(left).write_bytes(b"something")
    assert loss.find(database, key) == f"the database {database} {state}, {evidence}"


def test_accounts_of_a_database_that_is_younger_than_the_key(
    connection: Connection, database: Path, key: Path
) -> None:
    assert loss.find_accounts(database, key, users=0) == []  # there is no key
    key.write_bytes(b"key")
    created = maintenance.created_at(database)

    def find(age: timedelta, users: int = 0) -> list[str]:
        seconds = (created - age).timestamp()
        os.utime(key, (seconds, seconds))
        return loss.find_accounts(database, key, users)

    assert find(timedelta(minutes=10, seconds=-1)) == []
    (problem,) = find(timedelta(minutes=10, seconds=1))
    assert problem.startswith("accounts: there are none, and the signing key (of ")
    assert find(timedelta(minutes=10, seconds=1), users=1) == []
