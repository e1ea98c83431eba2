"""What a user and the admin have chosen, as JSON documents without the defaults."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from storage.connection import Connection


class UserSettings(NamedTuple):
    """What a user has chosen, as a JSON object, and when. Immutable, so it can be cached."""

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
    """Change some settings of a user; return all that were chosen."""
    document: dict[str, Any] = json.loads(of_user(connection, user).document) | changes
    connection.execute(
        "UPDATE users SET settings = ?, settings_updated_at = ? WHERE number = ?",
        (json.dumps(document), now, user),
    )
    return document


def of_server(connection: Connection) -> tuple[dict[str, Any], str | None]:
    """What the admin has chosen, and when; None when nothing was chosen yet."""
    row = connection.execute("SELECT document, updated_at FROM server_settings").fetchone()
    return (json.loads(row[0]), row[1]) if row else ({}, None)


def replace_of_server(connection: Connection, document: dict[str, Any], now: str) -> None:
    connection.execute(
        "INSERT INTO server_settings (only, document, updated_at) VALUES (1, ?, ?)"
        " ON CONFLICT (only) DO UPDATE SET document = excluded.document,"
        " updated_at = excluded.updated_at",
        (json.dumps(document), now),
    )
