"""Replay: the stored facts whose frames have larger numbers than the last one a client received."""

from __future__ import annotations

from typing import Any

from core.errors import NotFound, ResyncRequired
from core.records import ChatChange, Message, ReadMark
from storage import chats, messages
from storage.connection import Connection

Missed = Message | ReadMark | ChatChange

MAX_MISSED = 10_000  # frames; counted in about 2 ms
_MAX_AT_ONCE = 100  # frames; read in about 3 ms
_MAX_CHARACTERS_AT_ONCE = 1 << 18

_MISSED = (
    "SELECT seq, 'message' AS kind, number AS of FROM messages WHERE user = :user AND seq > :after"
    " AND seq > 0 AND chat NOT IN (SELECT chat FROM hidden_chats)"
    " UNION ALL SELECT seq, 'chat', chat_id FROM chat_changes WHERE user = :user AND seq > :after"
    " UNION ALL SELECT seq, sender, chat FROM reads WHERE user = :user AND seq > :after"
    " ORDER BY seq LIMIT :most"
)


def check(connection: Connection, user: int, after: int) -> None:
    """Raise `ResyncRequired` if the frames after this number are unknown or too many."""
    last, first = connection.execute(
        "SELECT seq, first_seq FROM users WHERE number = ?", (user,)
    ).fetchone()
    if not first <= after <= last:
        raise ResyncRequired("This sequence number does not belong to the server's current data.")
    counted = connection.execute(
        f"SELECT COUNT(*) FROM ({_MISSED})", _bounds(user, after, MAX_MISSED + 1)
    ).fetchone()
    if counted[0] > MAX_MISSED:
        raise ResyncRequired(f"More than {MAX_MISSED:,} frames were missed.")


def missed(connection: Connection, user: int, after: int) -> list[Missed]:
    """Return the next facts after this number, in order; none when the client is up to date."""
    found: list[Missed] = []
    characters = 0
    rows = connection.execute(_MISSED, _bounds(user, after, _MAX_AT_ONCE)).fetchall()
    for seq, kind, of in rows:
        fact = _fact(connection, user, seq, kind, of)
        found.append(fact)
        if isinstance(fact, Message):
            characters += len(fact.content)
        if characters > _MAX_CHARACTERS_AT_ONCE:
            break
    return found


def _bounds(user: int, after: int, most: int) -> dict[str, int]:
    return {"user": user, "after": after, "most": most}


def _fact(connection: Connection, user: int, seq: int, kind: str, of: Any) -> Missed:
    if kind == "message":
        return messages.at(connection, of)
    if kind == "chat":
        try:
            return ChatChange(of, chats.find(connection, user, of), seq)
        except NotFound:
            return ChatChange(of, None, seq)
    row = connection.execute(
        "SELECT c.id, r.message_id, r.sender, r.timestamp, r.unread_count, r.seq FROM reads r"
        " JOIN chats c ON c.number = r.chat WHERE r.chat = ? AND r.sender = ?",
        (of, kind),
    ).fetchone()
    return ReadMark(*row)
