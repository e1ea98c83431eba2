"""Accounts. The first one ever made is the admin, decided inside the inserting transaction."""

from __future__ import annotations

import sqlite3

from core.errors import EmailTaken
from core.identity import normalized_email
from core.records import User
from storage.connection import Connection, is_violated

COLUMNS = "number, id, email, name, is_admin, created_at, updated_at, is_disabled"
_COST = "CAST(substr(password_hash, 5, 2) AS INTEGER)"  # of `$2b$12$…`


def from_row(row: tuple[int, str, str, str, int, str, str, int]) -> User:
    row_id, id, email, name, is_admin, created_at, updated_at, is_disabled = row
    return User(row_id, id, email, name, bool(is_admin), created_at, updated_at, bool(is_disabled))


def email_key(email: str) -> str:
    """The form in which two addresses are compared (contract, section 1)."""
    return normalized_email(email)


def add(
    connection: Connection, id: str, email: str, name: str, password_hash: str, now: str
) -> User:
    """Make an account. Raises `EmailTaken`."""
    try:
        connection.execute(
            "INSERT INTO users (id, email, email_key, name, password_hash, is_admin,"
            " settings_updated_at, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, NOT EXISTS (SELECT 1 FROM users), ?, ?, ?)",
            (id, email, email_key(email), name, password_hash, now, now, now),
        )
    except sqlite3.IntegrityError as error:
        if not is_violated(error, "users.email_key"):
            raise
        raise EmailTaken(f"There is already an account for {email}.") from None
    user = find(connection, id)
    assert user is not None
    return user


def find(connection: Connection, id: str) -> User | None:
    row = connection.execute(f"SELECT {COLUMNS} FROM users WHERE id = ?", (id,)).fetchone()
    return row and from_row(row)


def exist(connection: Connection) -> bool:
    """Whether any account was made yet."""
    return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None


def every(connection: Connection) -> list[User]:
    """All accounts, in the order in which they were made."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM users ORDER BY number")
    return [from_row(row) for row in rows]


def is_email_taken(connection: Connection, email: str) -> bool:
    return for_login(connection, email) is not None


def for_login(connection: Connection, email: str) -> tuple[User, str] | None:
    """Return the account of an address, with its password's hash.

    An account that was made before addresses were normalized is found by its address as it is.
    """
    as_sent = email.strip().casefold()
    row = connection.execute(
        f"SELECT {COLUMNS}, password_hash FROM users WHERE email_key IN (?, ?)"
        " ORDER BY email_key = ? DESC",
        (email_key(email), as_sent, as_sent),
    ).fetchone()
    return row and (from_row(row[:-1]), row[-1])


def lowest_cost(connection: Connection) -> int | None:
    """Return the lowest bcrypt cost of all stored passwords; None if there is no account."""
    row = connection.execute(f"SELECT min({_COST}) FROM users").fetchone()
    return None if row[0] is None else int(row[0])


def replace_hash(connection: Connection, row_id: int, before: str, after: str) -> None:
    """Store another hash of the same password, unless the password was changed meanwhile."""
    connection.execute(
        "UPDATE users SET password_hash = ? WHERE number = ? AND password_hash = ?",
        (after, row_id, before),
    )


def update(
    connection: Connection,
    number: int,
    now: str,
    *,
    name: str | None,
    email: str | None,
    password_hash: str | None,
) -> User:
    """Change what is not None. Raises `EmailTaken`."""
    try:
        row = connection.execute(
            "UPDATE users SET name = coalesce(?, name), email = coalesce(?, email),"
            " email_key = coalesce(?, email_key), password_hash = coalesce(?, password_hash),"
            f" updated_at = ? WHERE number = ? RETURNING {COLUMNS}",
            (name, email, email and email_key(email), password_hash, now, number),
        ).fetchone()
    except sqlite3.IntegrityError as error:
        if not is_violated(error, "users.email_key"):
            raise
        raise EmailTaken(f"There is already an account for {email}.") from None
    return from_row(row)


def promote(connection: Connection, number: int, now: str) -> User:
    """Make the account an admin. Twice is harmless."""
    row = connection.execute(
        f"UPDATE users SET is_admin = 1, updated_at = ? WHERE number = ? RETURNING {COLUMNS}",
        (now, number),
    ).fetchone()
    return from_row(row)


def delete(connection: Connection, number: int) -> list[str]:
    """Delete the account with everything that it owns; the ids of the chats that went with it."""
    rows = connection.execute("SELECT id FROM chats WHERE user = ?", (number,))
    chat_ids = [row[0] for row in rows]
    connection.execute("DELETE FROM users WHERE number = ?", (number,))
    return chat_ids
