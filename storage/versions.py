"""Versions of messages: a chat is a tree, and lists show one path through it (contract, section 6).

`messages.parent` makes the tree. The table `path` has the row ids of the messages that a chat
shows, from a first message to a leaf. A message is stored after its parent, so its row id is
larger, and the path is in the order of row ids. Hiding a tail therefore deletes one range of
`path` and touches no message.

While a reply is being written, nothing here may change the path: the reply is its last message.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from core.errors import Conflict
from core.records import ChatChange, JsonPage, Sender
from storage import chats, hidden_chats, messages
from storage.connection import Connection

# A message and its ancestors up to the first one that is on the path, from the bottom up.
_HIDDEN_ABOVE = (
    "WITH RECURSIVE above (number, parent) AS ("
    " SELECT number, parent FROM messages WHERE number = :from AND number NOT IN"
    " (SELECT number FROM path WHERE chat = :chat AND number = :from)"
    " UNION ALL SELECT m.number, m.parent FROM above a JOIN messages m ON m.number = a.parent"
    " WHERE NOT EXISTS (SELECT 1 FROM path WHERE chat = :chat AND number = m.number)"
    ") SELECT number, parent FROM above"
)
_ALL_ABOVE = (
    "WITH RECURSIVE above (number, parent) AS ("
    " SELECT number, parent FROM messages WHERE number = :from"
    " UNION ALL SELECT m.number, m.parent FROM above a JOIN messages m ON m.number = a.parent"
    ") INSERT INTO path (chat, number) SELECT :chat, number FROM above"
)
_NEWEST_BELOW = (
    "WITH RECURSIVE below (number) AS (SELECT :from UNION ALL"
    " SELECT (SELECT MAX(number) FROM messages WHERE chat = :chat AND parent = below.number)"
    " FROM below WHERE below.number IS NOT NULL) SELECT MAX(number) FROM below"
)
_ALL_BELOW = (
    "WITH RECURSIVE below (number) AS (SELECT :from UNION ALL"
    " SELECT m.number FROM below b JOIN messages m ON m.chat = :chat AND m.parent = b.number)"
    " SELECT number FROM below ORDER BY number DESC"
)
_SIBLINGS = "SELECT number FROM messages WHERE chat = :chat AND parent IS :parent"
_COUNT = (
    "UPDATE chats SET message_count = (SELECT COUNT(*) FROM path WHERE chat = chats.number),"
    " last_message = (SELECT MAX(number) FROM path WHERE chat = chats.number),"
    " unread_count = (SELECT COUNT(*) FROM path p CROSS JOIN messages m ON m.number = p.number"
    " WHERE p.chat = chats.number AND p.number > chats.read_number AND m.sender = 'assistant'"
    " AND m.status <> 'streaming') WHERE number = ?"
)


def page(
    connection: Connection, user: int, chat_id: str, id: str, limit: int, offset: int
) -> JsonPage:
    """Return a page of the versions of a message, oldest first. Raises `NotFound`."""
    chat = chats.check(connection, user, chat_id)
    place = {
        "chat": chat,
        "parent": _parent(connection, messages.find(connection, chat, id).row_id),
    }
    (total,) = connection.execute(f"SELECT COUNT(*) FROM ({_SIBLINGS})", place).fetchone()
    rows = connection.execute(
        f"{_SIBLINGS} ORDER BY number LIMIT :limit OFFSET :offset",
        {**place, "limit": limit, "offset": offset},
    ).fetchall()
    return messages.public_page(connection, [number for (number,) in rows], total)


def select(connection: Connection, user: int, chat_id: str, id: str) -> ChatChange:
    """Put a message on the path, with its newest continuation; keep a path that contains it.

    Raises `NotFound`, and `Conflict` while a reply is being written.
    """
    chat = chats.check(connection, user, chat_id)
    number = messages.find(connection, chat, id).row_id
    check_idle(connection, chat)
    if not _is_shown(connection, chat, number):
        _show_newest(connection, chat, number)
    return chats.changed(connection, user, chat_id)


def begin_version(connection: Connection, chat: int, id: str, sender: Sender) -> None:
    """End the path before a message, so that the next one to be stored is a version of it.

    Raises `NotFound`, and `Conflict` while a reply is being written or for another sender.
    """
    message = messages.find(connection, chat, id)
    check_idle(connection, chat)
    if message.sender != sender:
        raise Conflict(
            "A reply can't be edited. Regenerate it."
            if sender == "user"
            else "Only a reply can be regenerated. Edit a message of the user."
        )
    show_until(connection, chat, _parent(connection, message.row_id))


class Removed(NamedTuple):
    """How many of the given messages were removed, and the change of the chat."""

    done: int
    change: ChatChange


def below(connection: Connection, user: int, chat_id: str, id: str) -> list[int]:
    """Return the row ids of a message and all that follows it, newest first. Raises `NotFound`."""
    chat = chats.check(connection, user, chat_id)
    place = {"chat": chat, "from": messages.find(connection, chat, id).row_id}
    return [number for (number,) in connection.execute(_ALL_BELOW, place)]


def remove(connection: Connection, user: int, chat_id: str, rows: Sequence[int]) -> Removed:
    """Remove for one slice what `below` returned; a later call continues after `done` rows.

    If the message is shown, its newest other version takes its place, or its parent becomes the
    last message. A message that has got a child meanwhile is kept. Raises `NotFound`, and
    `Conflict` while a reply is being written.
    """
    chat = chats.check(connection, user, chat_id)
    check_idle(connection, chat)
    if _is_shown(connection, chat, rows[-1]):
        _hide(connection, chat, rows[-1])
    until = time.monotonic() + hidden_chats.SLICE_SECONDS
    done = 0
    for number in rows:
        connection.execute(
            "DELETE FROM messages WHERE chat = :chat AND number = :number AND NOT EXISTS"
            " (SELECT 1 FROM messages WHERE chat = :chat AND parent = :number)",
            {"chat": chat, "number": number},
        )
        done += 1
        if time.monotonic() > until:
            break
    return Removed(done, chats.changed(connection, user, chat_id))


def check_idle(connection: Connection, chat: int) -> None:
    """Raise `Conflict` if a reply is being written in a chat."""
    if streaming_in(connection, chat) is not None:
        raise Conflict("The reply is still being written. Stop it first.")


def streaming_in(connection: Connection, chat: int) -> int | None:
    """Return the row id of the streaming reply of a chat, if any."""
    row: tuple[int] | None = connection.execute(
        "SELECT number FROM messages INDEXED BY messages_streaming"
        " WHERE status = 'streaming' AND chat = ?",
        (chat,),
    ).fetchone()
    return None if row is None else row[0]


def show_until(connection: Connection, chat: int, last: int | None) -> None:
    """Make a message the last one on the path; None empties the path."""
    rows = connection.execute(_HIDDEN_ABOVE, {"chat": chat, "from": last}).fetchall()
    fork = rows[-1][1] if rows else last
    connection.execute("DELETE FROM path WHERE chat = ? AND number > ?", (chat, fork or 0))
    connection.executemany(
        "INSERT INTO path (chat, number) VALUES (?, ?)", [(chat, number) for number, _ in rows]
    )
    connection.execute(_COUNT, (chat,))


def rebuild(connection: Connection, chat: int, last: int) -> None:
    """Make the path lead to a message, whatever the path was."""
    connection.execute("DELETE FROM path WHERE chat = ?", (chat,))
    connection.execute(_ALL_ABOVE, {"chat": chat, "from": last})
    connection.execute(_COUNT, (chat,))


def _show_newest(connection: Connection, chat: int, number: int) -> None:
    (leaf,) = connection.execute(_NEWEST_BELOW, {"chat": chat, "from": number}).fetchone()
    show_until(connection, chat, leaf)


def _hide(connection: Connection, chat: int, number: int) -> None:
    """Lead the path to the newest other version of a message, else end it before the message."""
    parent = _parent(connection, number)
    (other,) = connection.execute(
        f"SELECT MAX(number) FROM ({_SIBLINGS}) WHERE number <> :number",
        {"chat": chat, "parent": parent, "number": number},
    ).fetchone()
    if other is None:
        show_until(connection, chat, parent)
    else:
        _show_newest(connection, chat, other)


def _parent(connection: Connection, number: int) -> int | None:
    row: tuple[int | None] = connection.execute(
        "SELECT parent FROM messages WHERE number = ?", (number,)
    ).fetchone()
    return row[0]


def _is_shown(connection: Connection, chat: int, number: int) -> bool:
    return (
        connection.execute(
            "SELECT 1 FROM path WHERE chat = ? AND number = ?", (chat, number)
        ).fetchone()
        is not None
    )
