"""A table of numbers for the tests of the database and its writer."""

from __future__ import annotations

from typing import Any

from storage.connection import Connection


def insert(connection: Connection, number: int, text: str = "") -> int:
    connection.execute("INSERT INTO t VALUES (?, ?)", (number, text))
    return number


def pragma(connection: Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def numbers(connection: Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]
