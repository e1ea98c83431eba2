"""Accounts. The first account becomes the admin, within the transaction that inserts it."""

from __future__ import annotations

import sqlite3
from typing import Any

from core.errors import Conflict, EmailTaken
from core.identity import normalized_email
from core.records import ManagedUser, Page, User
from storage.connection import Connection, is_violated

COLUMNS = "number, id, email, name, is_admin, created_at, updated_at, is_disabled"
JOINED_COLUMNS = ", ".join(f"u.{column}" for column in COLUMNS.split(", "))
_MANAGED_COLUMNS = f"{COLUMNS}, last_seen_at, chat_count, storage_bytes"
_MATCHING = "FROM users WHERE :q = '' OR instr(email_key, :q) OR instr(normalized_email(name), :q)"
_COST = "CAST(substr(password_hash, 5, 2) AS INTEGER)"  # of `$2b$12$…`


def from_row(row: tuple[int, str, str, str, int, str, str, int]) -> User:
    row_id, id, email, name, is_admin, created_at, updated_at, is_disabled = row
    return User(row_id, id, email, name, bool(is_admin), created_at, updated_at, bool(is_disabled))


def email_key(email: str) -> str:
    """Return the form in which two addresses are compared (contract, section 1)."""
    return normalized_email(email)


def add(
    connection: Connection, id: str, email: str, name: str, password_hash: str, now: str
) -> User:
    """Create an account. Raises `EmailTaken`."""
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
    """Return whether any account exists."""
    return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None


def every(connection: Connection) -> list[User]:
    """Return all accounts in the order of their creation."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM users ORDER BY number")
    return [from_row(row) for row in rows]


def is_email_taken(connection: Connection, email: str) -> bool:
    return for_login(connection, email) is not None


def for_login(connection: Connection, email: str) -> tuple[User, str] | None:
    """Return the account with an address, and its password hash.

    Accounts created before addresses were normalized are found by their stored address.
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
    """Update the fields that are not None. Raises `EmailTaken`."""
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


def administer(
    connection: Connection,
    row_id: int,
    now: str,
    *,
    name: str | None = None,
    is_admin: bool | None = None,
    is_disabled: bool | None = None,
) -> User:
    """Update the fields that are not None. Raises `Conflict` if no admin would be left.

    A disabled account has no sessions; its API keys are refused while it is disabled.
    """
    if is_admin is False or is_disabled:
        check_not_last_admin(connection, row_id)
    row = connection.execute(
        "UPDATE users SET name = coalesce(?, name), is_admin = coalesce(?, is_admin),"
        " is_disabled = coalesce(?, is_disabled), updated_at = ? WHERE number = ?"
        f" RETURNING {COLUMNS}",
        (name, is_admin, is_disabled, now, row_id),
    ).fetchone()
    return from_row(row)


def check_not_last_admin(connection: Connection, row_id: int) -> None:
    """Raise `Conflict` if the account is the only admin that is not disabled."""
    row = connection.execute(
        "SELECT email FROM users WHERE number = ? AND is_admin AND NOT is_disabled AND NOT EXISTS"
        " (SELECT 1 FROM users WHERE number <> ? AND is_admin AND NOT is_disabled)",
        (row_id, row_id),
    ).fetchone()
    if row:
        raise Conflict(f"{row[0]} is the only admin. Make somebody else an admin first.")


def managed(connection: Connection, row_id: int) -> ManagedUser:
    """Return an account as an admin sees it."""
    row = connection.execute(f"SELECT {_MANAGED_COLUMNS} FROM users WHERE number = ?", (row_id,))
    return _managed_from_row(row.fetchone())


def managed_page(connection: Connection, query: str, limit: int, offset: int) -> Page[ManagedUser]:
    """Return a page of accounts whose address or name contains `query`, oldest first."""
    words = {"q": normalized_email(query), "limit": limit, "offset": offset}
    total = connection.execute(f"SELECT COUNT(*) {_MATCHING}", words).fetchone()[0]
    rows = connection.execute(
        f"SELECT {_MANAGED_COLUMNS} {_MATCHING} ORDER BY number LIMIT :limit OFFSET :offset", words
    )
    return Page([_managed_from_row(row) for row in rows], total)


def _managed_from_row(row: tuple[Any, ...]) -> ManagedUser:
    return ManagedUser(from_row(row[:-3]), *row[-3:])


def delete(connection: Connection, row_id: int) -> list[str]:
    """Delete the account with everything that it owns; the ids of the chats that went with it."""
    rows = connection.execute("SELECT id FROM chats WHERE user = ?", (row_id,))
    chat_ids = [row[0] for row in rows]
    connection.execute("DELETE FROM users WHERE number = ?", (row_id,))
    return chat_ids


def delete_unless_last_admin(connection: Connection, row_id: int) -> list[str]:
    """Delete like `delete`. Raises `Conflict` for the only admin if there are other accounts."""
    if connection.execute("SELECT 1 FROM users WHERE number <> ?", (row_id,)).fetchone():
        check_not_last_admin(connection, row_id)
    return delete(connection, row_id)
