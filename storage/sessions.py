"""Sessions, and the rotation of their refresh tokens (contract, section 4).

A session stores its current refresh token, the previous token that was exchanged for it, and
whether either token of the current pair (access and refresh token) was used. All other refresh
tokens of the session are past ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import NotFound
from core.records import Client, Page, Session, User
from storage import users
from storage.connection import Connection

RETENTION_HOURS = 30 * 24  # for which an expired row is kept
_MAX_VOID = 100  # of a session: one each 10 s, for as long as an access token is good
_LIVE = "FROM sessions WHERE user = ? AND expires_at > ?"
_SHOWN = "id, created_at, last_used_at, address, user_agent"


@dataclass(frozen=True)
class NewSession:
    """A session to store.

    Its refresh token expires at `expires_at`, and all its tokens expire by `ends_at`. Both are in
    epoch seconds.
    """

    id: str
    token_id: str
    created_at: str
    expires_at: int
    ends_at: int
    client: Client
    may_set_password: bool = False


@dataclass(frozen=True)
class Pair:
    """The current tokens of a session. The refresh token expires at `expires_at` (epoch seconds).

    `previous_token_id` is the refresh token that was exchanged for this pair; None for the first
    pair of the session.
    """

    user: User
    token_id: str
    previous_token_id: str | None
    is_used: bool
    expires_at: int


@dataclass(frozen=True)
class Rotated:
    """The result of exchanging a current refresh token; `before` is the pair it belonged to."""

    before: Pair
    expires_at: int


def add(connection: Connection, user: int, session: NewSession) -> None:
    """Begin a session."""
    connection.execute(
        "INSERT INTO sessions (id, user, token_id, created_at, last_used_at, expires_at, ends_at,"
        " address, user_agent, may_set_password) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.id,
            user,
            session.token_id,
            session.created_at,
            session.created_at,
            session.expires_at,
            session.ends_at,
            session.client.address,
            session.client.user_agent,
            session.may_set_password,
        ),
    )
    connection.execute(
        "UPDATE users SET last_seen_at = ? WHERE number = ?", (session.created_at, user)
    )


def find(connection: Connection, id: str, user_id: str, token_id: str) -> Pair | None:
    """Return the current pair of a session; None if the session ended or `token_id` is void."""
    row = connection.execute(
        f"SELECT {users.JOINED_COLUMNS}, s.token_id, s.previous_token_id, s.is_used, s.expires_at"
        " FROM sessions s JOIN users u ON u.number = s.user WHERE s.id = ? AND u.id = ?"
        " AND NOT EXISTS (SELECT 1 FROM void_tokens WHERE token_id = ?)",
        (id, user_id, token_id),
    ).fetchone()
    if row is None:
        return None
    token_id, previous_token_id, is_used, expires_at = row[-4:]
    return Pair(users.from_row(row[:-4]), token_id, previous_token_id, bool(is_used), expires_at)


def is_live(connection: Connection, id: str, user: int, now: int) -> bool:
    """Return whether the user has this session and it is unexpired at `now` (epoch seconds)."""
    row = connection.execute(
        "SELECT 1 FROM sessions JOIN users ON users.number = sessions.user"
        " WHERE sessions.id = ? AND user = ? AND expires_at > ? AND NOT is_disabled",
        (id, user, now),
    ).fetchone()
    return row is not None


def rotate(
    connection: Connection,
    id: str,
    user_id: str,
    token_id: str,
    next_token_id: str,
    now: str,
    expires_at: int,
    client: Client,
) -> Rotated | Pair | None:
    """Exchange the current refresh token for `next_token_id`.

    Return the unchanged current pair if `token_id` is a past token. Return None if the session
    ended or the token is void. A session never outlives its `ends_at`.
    """
    before = find(connection, id, user_id, token_id)
    if before is None or before.user.is_disabled:
        return None
    if before.token_id != token_id:
        return before
    row = connection.execute(
        "UPDATE sessions SET token_id = ?, previous_token_id = token_id, is_used = 0,"
        " may_set_password = 0,"
        " expires_at = min(?, ends_at), last_used_at = ?, address = ?, user_agent = ?"
        " WHERE id = ? RETURNING expires_at",
        (next_token_id, expires_at, now, client.address, client.user_agent, id),
    ).fetchone()
    return Rotated(before, row[0])


def replace_unused(
    connection: Connection, id: str, token_id: str, next_token_id: str, expires_at: int
) -> int | None:
    """Replace the current pair, whose response was lost, with `next_token_id`; void the old one.

    Return when the new token expires; None if `token_id` is no longer current, or was used.
    """
    row = connection.execute(
        "UPDATE sessions SET token_id = ?, expires_at = min(?, ends_at)"
        " WHERE id = ? AND token_id = ? AND NOT is_used RETURNING expires_at",
        (next_token_id, expires_at, id, token_id),
    ).fetchone()
    if row is None:
        return None
    connection.execute("INSERT INTO void_tokens (token_id, session) VALUES (?, ?)", (token_id, id))
    connection.execute(
        "DELETE FROM void_tokens WHERE session = ? AND number NOT IN"
        " (SELECT number FROM void_tokens WHERE session = ? ORDER BY number DESC LIMIT ?)",
        (id, id, _MAX_VOID),
    )
    return int(row[0])


def note_use(connection: Connection, id: str, token_id: str, now: str) -> None:
    """Record that a token of the current pair was used."""
    connection.execute(
        "UPDATE sessions SET is_used = 1, last_used_at = ? WHERE id = ? AND token_id = ?",
        (now, id, token_id),
    )
    connection.execute(
        "UPDATE users SET last_seen_at = ? WHERE number = (SELECT user FROM sessions WHERE id = ?)",
        (now, id),
    )


def may_set_password(connection: Connection, id: str) -> bool:
    """Return whether a sign-in code started the session and it was never refreshed."""
    row = connection.execute("SELECT may_set_password FROM sessions WHERE id = ?", (id,)).fetchone()
    return row is not None and bool(row[0])


def end_password_setting(connection: Connection, id: str) -> None:
    """Require the current password for changing it in this session from now on."""
    connection.execute("UPDATE sessions SET may_set_password = 0 WHERE id = ?", (id,))


def page(
    connection: Connection, user: int, current_id: str, now: int, limit: int, offset: int
) -> Page[Session]:
    """Return a page of a user's live sessions, most recently used first."""
    total = connection.execute(f"SELECT COUNT(*) {_LIVE}", (user, now)).fetchone()[0]
    rows = connection.execute(
        f"SELECT {_SHOWN} {_LIVE} ORDER BY last_used_at DESC, id LIMIT ? OFFSET ?",
        (user, now, limit, offset),
    )
    return Page([replace(Session(*row), is_current=row[0] == current_id) for row in rows], total)


def delete(connection: Connection, id: str, user: int) -> None:
    """End a session. Raises `NotFound`, for another user's session too."""
    ended = connection.execute("DELETE FROM sessions WHERE id = ? AND user = ?", (id, user))
    if not ended.rowcount:
        raise NotFound("session")


def delete_of_user(connection: Connection, user: int, but: str | None = None) -> None:
    """End all sessions of a user, except the one with the id `but`."""
    connection.execute("DELETE FROM sessions WHERE user = ? AND id IS NOT ?", (user, but))


def sweep(connection: Connection, now: int) -> None:
    """Delete what the calendar has called expired for `RETENTION_HOURS` of the server's uptime.

    Call it once for each hour of uptime. The hours are counted, not computed from the calendar,
    so a clock that jumps ahead deletes nothing, however far it jumps.
    """
    for table in ("sessions", "sign_in_codes"):
        connection.execute(
            f"UPDATE {table} SET expired_hours = iif(expires_at <= ?, expired_hours + 1, 0)"
            " WHERE expires_at <= ? OR expired_hours",
            (now, now),
        )
        connection.execute(f"DELETE FROM {table} WHERE expired_hours > ?", (RETENTION_HOURS,))
