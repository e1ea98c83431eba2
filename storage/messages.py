"""Messages. A number orders them, within a chat and for ever; the public id says nothing."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, NamedTuple

from core.errors import Conflict, NotFound
from core.records import Message, Page, Sender, Status
from storage.connection import Connection

_SELECT = (
    "SELECT m.number, m.id, c.id, m.content, m.sender, m.timestamp, m.status, m.model, m.client_id,"
    " m.error FROM messages m JOIN chats c ON c.number = m.chat"
)


class Added(NamedTuple):
    """A user's message, and whether it is new or was stored before under its `client_id`."""

    message: Message
    is_new: bool


class Begun(NamedTuple):
    """A reply whose row is there, what it answers, and the chat's unread messages by now."""

    message: Message
    answers: Message
    unread_count: int


class Said(NamedTuple):
    sender: Sender
    content: str


def from_row(row: tuple[Any, ...]) -> Message:
    columns = (*row[:9], row[9] and json.loads(row[9]))
    return Message(*columns)


def find(connection: Connection, chat: int, id: str) -> Message:
    """Raises `NotFound`."""
    row = connection.execute(f"{_SELECT} WHERE m.id = ? AND m.chat = ?", (id, chat)).fetchone()
    if row is None:
        raise NotFound("message in this chat")
    return from_row(row)


def page(
    connection: Connection, chat: int, limit: int, offset: int, newest_first: bool
) -> Page[Message]:
    """Some of a chat's messages; a deep page walks only the index (chat, number)."""
    order = "DESC" if newest_first else "ASC"
    total = connection.execute("SELECT message_count FROM chats WHERE number = ?", (chat,))
    rows = connection.execute(
        f"{_SELECT} WHERE m.number IN (SELECT number FROM messages WHERE chat = ?"
        f" ORDER BY number {order} LIMIT ? OFFSET ?) ORDER BY m.number {order}",
        (chat, limit, offset),
    )
    return Page([from_row(row) for row in rows], total.fetchone()[0])


def everything(connection: Connection, chat: int) -> list[Message]:
    """All messages of a chat, oldest first."""
    rows = connection.execute(f"{_SELECT} WHERE m.chat = ? ORDER BY m.number", (chat,))
    return [from_row(row) for row in rows]


def last_said(connection: Connection, chat: int) -> Message | None:
    """The last message that is not being written just now."""
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = ? AND m.status <> 'streaming' ORDER BY m.number DESC LIMIT 1",
        (chat,),
    ).fetchone()
    return row and from_row(row)


def said_before(connection: Connection, message: Message, most: int) -> list[Said]:
    """The last `most` messages before this one, oldest first, but what is empty."""
    rows = connection.execute(
        "SELECT sender, content FROM messages WHERE number < ? AND content <> ''"
        " AND chat = (SELECT chat FROM messages WHERE number = ?)"
        " ORDER BY number DESC LIMIT ?",
        (message.number, message.number, most),
    )
    return [Said(*row) for row in rows][::-1]


def reply_to(connection: Connection, message: Message) -> Message | None:
    """The first reply that came after a message of the user."""
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = (SELECT chat FROM messages WHERE number = ?) AND m.number > ?"
        " AND m.sender = 'assistant' ORDER BY m.number LIMIT 1",
        (message.number, message.number),
    ).fetchone()
    return row and from_row(row)


def add(
    connection: Connection,
    user: int,
    chat_id: str,
    id: str,
    content: str,
    client_id: str | None,
    opening_words: str,
    now: str,
) -> Added:
    """Store what the user says; the same `client_id` again finds what was stored.

    A chat without a title of its own takes `opening_words`. Raises `NotFound` for a chat that is
    not this user's, `Conflict` for a `client_id` that came with other content.
    """
    found = connection.execute(
        "SELECT number, is_titled FROM chats WHERE id = ? AND user = ?", (chat_id, user)
    ).fetchone()
    if found is None:
        raise NotFound("chat")
    chat, is_titled = found
    if client_id is not None:
        row = connection.execute(
            f"{_SELECT} WHERE m.chat = ? AND m.client_id = ?", (chat, client_id)
        ).fetchone()
        if row is not None:
            message = from_row(row)
            if message.content != content:
                raise Conflict("client_id: came before in this chat, with other content.")
            return Added(message, False)
    number = _insert(connection, id, chat, user, "user", content, now, "complete", None, client_id)
    if not is_titled:  # only then, because the title's words are indexed anew
        connection.execute("UPDATE chats SET title = ? WHERE number = ?", (opening_words, chat))
    connection.execute(
        "UPDATE chats SET updated_at = ?, is_titled = 1 WHERE number = ?", (now, chat)
    )
    message = Message(number, id, chat_id, content, "user", now, "complete", None, client_id)
    return Added(message, True)


def begin_reply(
    connection: Connection, chat_id: str, id: str, model: str, now: str
) -> Begun | None:
    """Begin a reply to what the user said last; None if the chat is gone."""
    found = connection.execute(
        "SELECT number, user, unread_count FROM chats WHERE id = ?", (chat_id,)
    ).fetchone()
    if found is None:
        return None
    chat, user, unread_count = found
    answers = _last_of_user(connection, chat)
    if answers is None:
        return None
    number = _insert(connection, id, chat, user, "assistant", "", now, "streaming", model, None)
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    message = Message(number, id, chat_id, "", "assistant", now, "streaming", model, None)
    return Begun(message, answers, unread_count)


def begin_again(
    connection: Connection, user: int, chat_id: str, id: str, model: str, now: str
) -> Begun:
    """Begin the last reply anew, under the id that it had; or the reply that never came.

    Raises `NotFound` for a chat that is not this user's, `Conflict` when there is nothing to
    answer or the reply is being written.
    """
    found = connection.execute(
        "SELECT number FROM chats WHERE id = ? AND user = ?", (chat_id, user)
    ).fetchone()
    if found is None:
        raise NotFound("chat")
    chat = found[0]
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = ? ORDER BY m.number DESC LIMIT 1", (chat,)
    ).fetchone()
    answers = _last_of_user(connection, chat)
    if row is None or answers is None:
        raise Conflict("There is nothing to regenerate: nothing was said in this chat yet.")
    last = from_row(row)
    if last.sender == "user":
        begun = begin_reply(connection, chat_id, id, model, now)
        assert begun is not None
        return begun
    if last.status == "streaming":
        raise Conflict("The reply is still being written. Stop it first.")
    connection.execute(
        "UPDATE messages SET content = '', status = 'streaming', model = ?, timestamp = ?,"
        " error = NULL WHERE number = ?",
        (model, now, last.number),
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    unread = connection.execute("SELECT unread_count FROM chats WHERE number = ?", (chat,))
    message = Message(last.number, last.id, chat_id, "", "assistant", now, "streaming", model, None)
    return Begun(message, answers, unread.fetchone()[0])


def checkpoint(connection: Connection, number: int, content: str) -> None:
    """Keep what a reply has said so far, for the case of a crash."""
    connection.execute(
        "UPDATE messages SET content = ? WHERE number = ? AND status = 'streaming'",
        (content, number),
    )


def end_reply(
    connection: Connection,
    number: int,
    content: str,
    status: Status,
    error: dict[str, str] | None,
    now: str,
) -> Message | None:
    """The reply as it will stay; None if its chat was deleted meanwhile."""
    ended = connection.execute(
        "UPDATE messages SET content = ?, status = ?, error = ?, timestamp = ? WHERE number = ?",
        (content, status, error and json.dumps(error), now, number),
    )
    if not ended.rowcount:
        return None
    connection.execute(
        "UPDATE chats SET updated_at = ?"
        " WHERE number = (SELECT chat FROM messages WHERE number = ?)",
        (now, number),
    )
    row = connection.execute(f"{_SELECT} WHERE m.number = ?", (number,)).fetchone()
    return from_row(row)


def interrupt_all(connection: Connection) -> int:
    """Mark the replies that a crash cut off; they keep what was stored. How many there were."""
    cut = connection.execute(
        "UPDATE messages SET status = 'interrupted' WHERE status = 'streaming'"
    )
    return cut.rowcount


def insert_imported(
    connection: Connection, chat: int, user: int, messages: list[dict[str, Any]]
) -> None:
    """Store messages of an import: dicts of the columns, oldest first."""
    for message in messages:
        try:
            _insert(
                connection,
                message["id"],
                chat,
                user,
                message["sender"],
                message["content"],
                message["timestamp"],
                message["status"],
                message["model"],
                message["client_id"],
                message["error"],
            )
        except sqlite3.IntegrityError:
            raise Conflict("messages: the same client_id stands in two of them.") from None


def _last_of_user(connection: Connection, chat: int) -> Message | None:
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = ? AND m.sender = 'user' ORDER BY m.number DESC LIMIT 1", (chat,)
    ).fetchone()
    return row and from_row(row)


def _insert(
    connection: Connection,
    id: str,
    chat: int,
    user: int,
    sender: Sender,
    content: str,
    timestamp: str,
    status: Status,
    model: str | None,
    client_id: str | None,
    error: dict[str, str] | None = None,
) -> int:
    added = connection.execute(
        "INSERT INTO messages (id, chat, user, sender, content, timestamp, status, model,"
        " client_id, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            chat,
            user,
            sender,
            content,
            timestamp,
            status,
            model,
            client_id,
            error and json.dumps(error),
        ),
    )
    assert added.lastrowid is not None
    return added.lastrowid
