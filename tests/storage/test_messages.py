"""Messages in storage."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from core.errors import Conflict
from core.records import Message
from storage import messages
from storage.connection import Connection
from tests.storage.test_replacement import fill
from tests.storage.test_users import connection

__all__ = ["connection"]  # a fixture


def imported(number: int, client_id: str | None = None) -> Message:
    return Message(0, f"msg_{number}", "chat_0", "Hello", "user", "", "complete", None, client_id)


def test_a_client_id_that_stands_twice_in_an_import_is_a_conflict(connection: Connection) -> None:
    fill(connection)
    messages.insert_imported(connection, 1, 1, [imported(1, "a"), imported(2, "b"), imported(3)])
    with pytest.raises(Conflict, match="client_id"):
        messages.insert_imported(connection, 1, 1, [imported(4, "a")])


def test_another_constraint_that_fails_is_a_bug_and_no_conflict(connection: Connection) -> None:
    """Such as an id that was made twice: the user can't do anything about it."""
    fill(connection)
    messages.insert_imported(connection, 1, 1, [imported(1, "a")])
    with pytest.raises(sqlite3.IntegrityError, match=r"messages\.id"):
        messages.insert_imported(connection, 1, 1, [replace(imported(1), client_id="c")])
