"""Settings of users and of the admin, as JSON documents without the defaults."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from storage.connection import Connection


class UserSettings(NamedTuple):
    """A user's settings as a JSON object, and when they changed. Immutable, so it can be cached."""

    document: str
    updated_at: str


def of_user(connection: Connection, user: int) -> UserSettings:
    """Return a user's settings without the defaults."""
    row = connection.execute(
        "SELECT settings, settings_updated_at FROM users WHERE number = ?", (user,)
    ).fetchone()
    return UserSettings(*row)


def merge_of_user(
    connection: Connection, user: int, changes: dict[str, Any], now: str
) -> dict[str, Any]:
    """Merge changes into a user's settings; return all stored settings."""
    document: dict[str, Any] = json.loads(of_user(connection, user).document) | changes
    connection.execute(
        "UPDATE users SET settings = ?, settings_updated_at = ? WHERE number = ?",
        (json.dumps(document), now, user),
    )
    return document


def of_server(connection: Connection) -> tuple[dict[str, Any], str | None]:
    """Return the admin's settings and when they changed; None if they never changed."""
    row = connection.execute("SELECT document, updated_at FROM server_settings").fetchone()
    return (json.loads(row[0]), row[1]) if row else ({}, None)


def replace_of_server(connection: Connection, document: dict[str, Any], now: str) -> None:
    connection.execute(
        "INSERT INTO server_settings (only, document, updated_at) VALUES (1, ?, ?)"
        " ON CONFLICT (only) DO UPDATE SET document = excluded.document,"
        " updated_at = excluded.updated_at",
        (json.dumps(document), now),
    )
