"""Accounts in storage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from core.errors import EmailTaken
from storage import migrations, search_text, users
from storage.connection import Connection

NOW = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def connection() -> Iterator[Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        search_text.register(opened)
        migrations.migrate(opened)
        yield opened


def change(connection: Connection, row_id: int, email: str | None, name: str | None = None) -> None:
    users.update(connection, row_id, NOW, name=name, email=email, password_hash=None)


def test_an_address_is_taken_once(connection: Connection) -> None:
    users.add(connection, "user_1", "ada@example.com", "Ada", "hash", NOW)
    bob = users.add(connection, "user_2", "bob@example.com", "Bob", "hash", NOW)
    with pytest.raises(EmailTaken):
        users.add(connection, "user_3", "ADA@example.com", "Ada", "hash", NOW)
    with pytest.raises(EmailTaken):
        change(connection, bob.row_id, "Ada@example.com")


def test_another_constraint_that_fails_is_a_bug_and_no_taken_address(
    connection: Connection,
) -> None:
    """Such as an id that was made twice: the user can't do anything about it."""
    users.add(connection, "user_1", "ada@example.com", "Ada", "hash", NOW)
    with pytest.raises(sqlite3.IntegrityError, match=r"users\.id"):
        users.add(connection, "user_1", "bob@example.com", "Bob", "hash", NOW)
    connection.execute(
        "CREATE TRIGGER no BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="no"):
        change(connection, 1, "eve@example.com")
