"""Sessions, and the rotation of their refresh tokens (contract, section 4).

A session knows the id of the one refresh token that comes next. A token that was rotated a moment
ago is remembered while its reuse is forgiven (two tabs at once); any other one is theft.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from core.records import User
from storage import users
from storage.connection import Connection


class Rotated(NamedTuple):
    """The user of the session, and the id of the refresh token that is good from now on."""

    user: User
    token_id: str


class Refused(Enum):
    REUSED = "reused"  # the session was deleted
    UNKNOWN = "unknown"


def add(connection: Connection, id: str, user: int, token_id: str, expires_at: int) -> None:
    """Begin a session; `expires_at` is in epoch seconds."""
    connection.execute(
        "INSERT INTO sessions (id, user, token_id, expires_at) VALUES (?, ?, ?, ?)",
        (id, user, token_id, expires_at),
    )


def user_of(connection: Connection, id: str, user_id: str) -> User | None:
    """The user, as they are now, of a session that lives."""
    row = connection.execute(
        f"SELECT {users.COLUMNS} FROM users WHERE id = ?"
        " AND number = (SELECT user FROM sessions WHERE id = ?)",
        (user_id, id),
    ).fetchone()
    return row and users.from_row(row)


def is_live(connection: Connection, id: str, user: int, now: int) -> bool:
    """Whether a session of this user is there and not past its time (epoch seconds)."""
    row = connection.execute(
        "SELECT 1 FROM sessions WHERE id = ? AND user = ? AND expires_at > ?", (id, user, now)
    ).fetchone()
    return row is not None


def rotate(
    connection: Connection,
    id: str,
    user_id: str,
    token_id: str,
    next_token_id: str,
    expires_at: int,
    now: float,
    forgiven_seconds: float,
) -> Rotated | Refused:
    """Exchange a refresh token, atomically.

    The token that comes next is replaced by `next_token_id`. One that was rotated less than
    `forgiven_seconds` ago gets the token that replaced it last, so that one chain lives on.
    Anything else is reuse: the session is deleted.
    """
    connection.execute("DELETE FROM rotated_tokens WHERE rotated_at < ?", (now - forgiven_seconds,))
    connection.execute("DELETE FROM sessions WHERE expires_at < ?", (int(now),))
    user = user_of(connection, id, user_id)
    if user is None:
        return Refused.UNKNOWN
    turned = connection.execute(
        "UPDATE sessions SET token_id = ?, expires_at = ? WHERE id = ? AND token_id = ?",
        (next_token_id, expires_at, id, token_id),
    )
    if turned.rowcount:
        connection.execute(
            "INSERT INTO rotated_tokens (token_id, session, rotated_at) VALUES (?, ?, ?)",
            (token_id, id, now),
        )
        return Rotated(user, next_token_id)
    current = connection.execute(
        "SELECT s.token_id FROM rotated_tokens r JOIN sessions s ON s.id = r.session"
        " WHERE r.token_id = ? AND r.session = ?",
        (token_id, id),
    ).fetchone()
    if current:
        return Rotated(user, current[0])
    delete(connection, id)
    return Refused.REUSED


def delete(connection: Connection, id: str) -> None:
    connection.execute("DELETE FROM sessions WHERE id = ?", (id,))


def delete_of_user(connection: Connection, user: int, but: str | None = None) -> None:
    """End all sessions of a user, but the one with the id `but`."""
    connection.execute("DELETE FROM sessions WHERE user = ? AND id IS NOT ?", (user, but))
