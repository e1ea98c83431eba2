"""API keys. Only their SHA-256 is stored: the database cannot give a key away."""

from __future__ import annotations

from core.errors import NotFound
from core.records import ApiKey, Page, User
from storage import users
from storage.connection import Connection

_COLUMNS = "id, name, prefix, created_at, last_used_at"


def add(
    connection: Connection, id: str, user: int, name: str, prefix: str, hash: str, now: str
) -> ApiKey:
    connection.execute(
        "INSERT INTO api_keys (id, user, name, prefix, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (id, user, name, prefix, hash, now),
    )
    return ApiKey(id, name, prefix, now, None)


def find_by_hash(connection: Connection, hash: str) -> tuple[ApiKey, User] | None:
    """The key with this hash and its user. An index compares hashes, never keys, so the time that
    it takes tells nothing about a key."""
    row = connection.execute(
        "SELECT k.id, k.name, k.prefix, k.created_at, k.last_used_at, u.number, u.id, u.email,"
        " u.name, u.is_admin, u.created_at, u.updated_at, u.is_disabled"
        " FROM api_keys k JOIN users u ON u.number = k.user WHERE k.hash = ?",
        (hash,),
    ).fetchone()
    return row and (ApiKey(*row[:5]), users.from_row(row[5:]))


def exists(connection: Connection, id: str) -> bool:
    return connection.execute("SELECT 1 FROM api_keys WHERE id = ?", (id,)).fetchone() is not None


def page(connection: Connection, user: int, limit: int, offset: int) -> Page[ApiKey]:
    """The keys of a user, oldest first."""
    total = connection.execute("SELECT COUNT(*) FROM api_keys WHERE user = ?", (user,)).fetchone()
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM api_keys WHERE user = ? ORDER BY number LIMIT ? OFFSET ?",
        (user, limit, offset),
    )
    return Page([ApiKey(*row) for row in rows], total[0])


def delete(connection: Connection, id: str, user: int) -> None:
    """Raises `NotFound`, for another user's key too."""
    gone = connection.execute("DELETE FROM api_keys WHERE id = ? AND user = ?", (id, user))
    if not gone.rowcount:
        raise NotFound("API key")


def touch(connection: Connection, id: str, now: str) -> None:
    connection.execute("UPDATE api_keys SET last_used_at = ? WHERE id = ?", (now, id))
