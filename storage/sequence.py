"""The numbers of a user's frames (contract, section 7), and what is kept of each frame.

Nothing is logged: a frame tells a fact that is stored anyway, so its number is kept beside the
fact, and a later frame of the same fact takes its place. What a client missed is what has a larger
number than the last that it saw (`replay`). A number is given in the transaction that stores the
fact, so numbers grow in the order of the commits, which is the order in which frames are sent.
"""

from __future__ import annotations

from core.records import ReadMark, Sender
from storage.connection import Connection


def next_seq(connection: Connection, user: int) -> int:
    """The number of the user's next frame."""
    row = connection.execute(
        "UPDATE users SET seq = seq + 1 WHERE number = ? RETURNING seq", (user,)
    ).fetchone()
    return int(row[0])


def chat_changed(connection: Connection, user: int, chat_id: str) -> int:
    """Note that a chat was made, changed or deleted; the number of its frame."""
    seq = next_seq(connection, user)
    connection.execute(
        "INSERT OR REPLACE INTO chat_changes (chat_id, user, seq) VALUES (?, ?, ?)",
        (chat_id, user, seq),
    )
    return seq


def read(
    connection: Connection, user: int, chat: int, message_id: str, sender: Sender, now: str
) -> ReadMark:
    """Note that somebody has read up to a message."""
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
    """The id of the message up to which the user has read, as far as it was ever said."""
    row: tuple[str] | None = connection.execute(
        "SELECT message_id FROM reads WHERE chat = ? AND sender = 'user'", (chat,)
    ).fetchone()
    return row and row[0]


def begin_anew(connection: Connection) -> None:
    """Have every client list again what there is, as after a restore.

    Numbers go on at the time in seconds: that is more than any number that was given before and
    that this database does not know of, but for a user who got more than one frame a second.
    """
    connection.execute(
        "UPDATE users SET seq = max(seq + 1, CAST(strftime('%s', 'now') AS INTEGER))"
    )
    connection.execute("UPDATE users SET first_seq = seq")
