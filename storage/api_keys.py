"""API keys. Only their SHA-256 hashes are stored, so a leaked database reveals no key."""

from __future__ import annotations

from core.errors import NotFound
from core.records import ApiKey, Page, User
from storage import users
from storage.connection import Connection

_COLUMNS = "id, name, prefix, created_at, last_used_at, expires_at"
_JOINED_COLUMNS = ", ".join(f"k.{column}" for column in _COLUMNS.split(", "))


def add(
    connection: Connection,
    id: str,
    user: int,
    name: str,
    prefix: str,
    hash: str,
    now: str,
    expires_at: int | None,
) -> ApiKey:
    """Store a key; `expires_at` is in epoch seconds, None for a key that never expires."""
    connection.execute(
        "INSERT INTO api_keys (id, user, name, prefix, hash, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, user, name, prefix, hash, now, expires_at),
    )
    return ApiKey(id, name, prefix, now, None, expires_at)


def find_by_hash(connection: Connection, hash: str) -> tuple[ApiKey, User] | None:
    """Return the key with this hash and its user.

    The lookup compares hashes, never keys, so its duration reveals nothing about a key.
    """
    row = connection.execute(
        f"SELECT {_JOINED_COLUMNS}, {users.JOINED_COLUMNS}"
        " FROM api_keys k JOIN users u ON u.number = k.user WHERE k.hash = ?",
        (hash,),
    ).fetchone()
    return row and (ApiKey(*row[:6]), users.from_row(row[6:]))


def is_live(connection: Connection, id: str, now: int) -> bool:
    """Return whether a key exists, has not expired at `now`, and its account is not disabled."""
    row = connection.execute(
        "SELECT 1 FROM api_keys k JOIN users u ON u.number = k.user WHERE k.id = ?"
        " AND (k.expires_at IS NULL OR k.expires_at > ?) AND NOT u.is_disabled",
        (id, now),
    ).fetchone()
    return row is not None


def page(connection: Connection, user: int, limit: int, offset: int) -> Page[ApiKey]:
    """Return a page of a user's keys, oldest first."""
    total = connection.execute("SELECT COUNT(*) FROM api_keys WHERE user = ?", (user,)).fetchone()
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE user = ? ORDER BY number LIMIT ? OFFSET ?",
        (user, limit, offset),
    )
    return Page([ApiKey(*row) for row in rows], total[0])


def delete(connection: Connection, id: str, user: int) -> None:
    """Delete a user's key. Raises `NotFound`, also for another user's key."""
    gone = connection.execute("DELETE FROM api_keys WHERE id = ? AND user = ?", (id, user))
    if not gone.rowcount:
        raise NotFound("API key")


def delete_of_user(connection: Connection, user: int) -> None:
    connection.execute("DELETE FROM api_keys WHERE user = ?", (user,))


def touch(connection: Connection, id: str, user: int, now: str) -> None:
    """Store when a key and its account were last used."""
    connection.execute("UPDATE api_keys SET last_used_at = ? WHERE id = ?", (now, id))
    connection.execute("UPDATE users SET last_seen_at = ? WHERE number = ?", (now, user))
