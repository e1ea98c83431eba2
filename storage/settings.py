"""What a user and the admin have chosen, as JSON documents without the defaults."""

from __future__ import annotations

import json
from typing import Any

from storage.connection import Connection


def of_user(connection: Connection, user: int) -> tuple[dict[str, Any], str]:
    """What the user has chosen, and when."""
    document, updated_at = connection.execute(
        "SELECT settings, settings_updated_at FROM users WHERE number = ?", (user,)
    ).fetchone()
    return json.loads(document), updated_at


def merge_of_user(
    connection: Connection, user: int, changes: dict[str, Any], now: str
) -> tuple[dict[str, Any], str]:
    document = of_user(connection, user)[0] | changes
    connection.execute(
        "UPDATE users SET settings = ?, settings_updated_at = ? WHERE number = ?",
        (json.dumps(document), now, user),
    )
    return document, now


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
