"""One-use sign-in codes. Only their SHA-256 is stored (contract, section 4)."""

from __future__ import annotations

from core.records import User
from storage import users
from storage.connection import Connection

MAX_CODES = 20  # of one account; a new one replaces the oldest


def add(connection: Connection, hash: str, user: int, expires_at: int) -> None:
    """Store a code that expires at `expires_at` (epoch seconds)."""
    connection.execute(
        "INSERT INTO sign_in_codes (hash, user, expires_at) VALUES (?, ?, ?)",
        (hash, user, expires_at),
    )
    connection.execute(
        "DELETE FROM sign_in_codes WHERE user = ? AND hash NOT IN (SELECT hash FROM sign_in_codes"
        " WHERE user = ? ORDER BY expires_at DESC, hash = ? DESC LIMIT ?)",
        (user, user, hash, MAX_CODES),
    )


def take(connection: Connection, hash: str) -> tuple[User, int] | None:
    """Consume a code; return its account and its expiry time in epoch seconds."""
    row = connection.execute(
        f"SELECT {users.JOINED_COLUMNS}, c.expires_at FROM sign_in_codes c"
        " JOIN users u ON u.number = c.user WHERE c.hash = ?",
        (hash,),
    ).fetchone()
    connection.execute("DELETE FROM sign_in_codes WHERE hash = ?", (hash,))
    return row and (users.from_row(row[:-1]), row[-1])


def delete_of_user(connection: Connection, user: int) -> None:
    connection.execute("DELETE FROM sign_in_codes WHERE user = ?", (user,))
