"""Sequence numbers of a user's frames (contract, section 7).

There is no log of frames. A frame sends a fact that is stored anyway, so its sequence number is
stored with the fact, and a later frame of the same fact overwrites it. A client has missed the
facts with larger numbers than the last one it received (`replay`). A number is assigned in the
transaction that stores the fact, so numbers grow in commit order, the order of sending.
"""

from __future__ import annotations

from core.records import ReadMark, Sender
from storage.connection import Connection


def next_seq(connection: Connection, user: int) -> int:
    """Assign and return the number of the user's next frame."""
    row = connection.execute(
        "UPDATE users SET seq = seq + 1 WHERE number = ? RETURNING seq", (user,)
    ).fetchone()
    return int(row[0])


def chat_changed(connection: Connection, user: int, chat_id: str) -> int:
    """Record that a chat was created, changed or deleted; return its frame's number."""
    seq = next_seq(connection, user)
    connection.execute(
        "INSERT OR REPLACE INTO chat_changes (chat_id, user, seq) VALUES (?, ?, ?)",
        (chat_id, user, seq),
    )
    return seq


def read(
    connection: Connection, user: int, chat: int, message_id: str, sender: Sender, now: str
) -> ReadMark:
    """Record that a sender has read up to a message."""
    seq = next_seq(connection, user)
    chat_id, unread_count = connection.execute(
        "SELECT id, unread_count FROM chats WHERE number = ?", (chat,)
    ).fetchone()
    connection.execute(
        "INSERT OR REPLACE INTO reads (chat, sender, user, seq, message_id, unread_count,"
        " timestamp) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (chat, sender, user, seq, message_id, unread_count, now),
    )
    return ReadMark(chat_id, message_id, sender, now, unread_count, seq)


def last_read(connection: Connection, chat: int) -> str | None:
    """Return the id of the last message that the user has read; None if never recorded."""
    row: tuple[str] | None = connection.execute(
        "SELECT message_id FROM reads WHERE chat = ? AND sender = 'user'", (chat,)
    ).fetchone()
    return row and row[0]


def restart_numbering(connection: Connection) -> None:
    """Make every client reload all its data, for example after a restore.

    Numbers continue from the current time in epoch seconds. That is more than any number that was
    assigned before and is unknown to this database, unless a user averaged over one frame a second.
    """
    connection.execute(
        "UPDATE users SET seq = max(seq + 1, CAST(strftime('%s', 'now') AS INTEGER))"
    )
    connection.execute("UPDATE users SET first_seq = seq")
