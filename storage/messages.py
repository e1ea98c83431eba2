"""Messages. A number orders them within a chat; the public id says nothing.

A reply that is being written is always the last message of its chat: it gets a new number when the
user says something meanwhile. So the list is in the order in which messages were said to the end,
which is the order of their frames. What a reply answers is noted, for the prompt of the next one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from core.errors import Conflict, NotFound
from core.records import JsonPage, Message, ReadMark, Sender, Status
from storage import frames
from storage.connection import Connection

_SELECT = (
    "SELECT m.number, m.id, c.id, m.content, m.sender, m.timestamp, m.status, m.model, m.client_id,"
    " m.error, m.seq FROM messages m JOIN chats c ON c.number = m.chat"
)

# `Message.public()`, made by SQLite in one step: a page costs a quarter of what it costs by way of
# records. A test compares the two. `c` is its chat.
_FIELDS = (
    "json_object('id', m.id, 'chat_id', c.id, 'content', m.content, 'sender', m.sender,"
    " 'timestamp', m.timestamp, 'status', m.status, 'model', m.model, 'client_id', m.client_id)"
)
PUBLIC = (
    f"CASE WHEN m.error IS NULL THEN {_FIELDS}"
    f" ELSE json_insert({_FIELDS}, '$.error', json(m.error)) END"
)

_MOST_SAID = 2_000  # messages that are read for a prompt


class Added(NamedTuple):
    """A user's message, and whether it is new or was stored before under its `client_id`.

    `change` is the number of the chat's frame, when the message gave the chat its title.
    """

    message: Message
    is_new: bool
    change: int | None = None


class Begun(NamedTuple):
    """A reply whose row is there, the last message that it answers, and that this was read."""

    message: Message
    answers: Message
    read: ReadMark


class Said(NamedTuple):
    sender: Sender
    content: str


def from_row(row: tuple[Any, ...]) -> Message:
    columns = (*row[:9], row[9] and json.loads(row[9]), row[10])
    return Message(*columns)


def at(connection: Connection, number: int) -> Message:
    """The message that has this number."""
    return from_row(connection.execute(f"{_SELECT} WHERE m.number = ?", (number,)).fetchone())


def find(connection: Connection, chat: int, id: str) -> Message:
    """Raises `NotFound`."""
    row = connection.execute(f"{_SELECT} WHERE m.id = ? AND m.chat = ?", (id, chat)).fetchone()
    if row is None:
        raise NotFound("message in this chat")
    return from_row(row)


def page(
    connection: Connection, user: int, chat_id: str, limit: int, offset: int, newest_first: bool
) -> JsonPage:
    """Some messages of a user's chat; a deep page walks only the index (chat, number).

    Raises `NotFound`.
    """
    order = "DESC" if newest_first else "ASC"
    found = connection.execute(
        f"SELECT message_count, (SELECT group_concat(item) FROM (SELECT {PUBLIC} AS item"
        " FROM messages m WHERE m.number IN (SELECT number FROM messages WHERE chat = c.number"
        f" ORDER BY number {order} LIMIT ? OFFSET ?) ORDER BY m.number {order}))"
        " FROM chats c WHERE c.id = ? AND c.user = ?",
        (limit, offset, chat_id, user),
    ).fetchone()
    if found is None:
        raise NotFound("chat")
    total, items = found
    return JsonPage(items or "", total)


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


def said_until(
    connection: Connection, last: Message, characters: int, most: int = _MOST_SAID
) -> list[Said] | None:
    """What was said up to a message of the user, each reply after what it answers.

    The latest messages with at least so many characters together, without those that are empty.
    None if these are more than `most`, which is less than what is ever read.
    """
    rows = connection.execute(
        "SELECT coalesce(answers, number), number, sender, content FROM messages"
        " WHERE chat = (SELECT chat FROM messages WHERE number = ?) AND content <> ''"
        " AND status <> 'streaming' ORDER BY number DESC LIMIT ?",
        (last.number, min(most + 1, _MOST_SAID)),
    )
    said = []
    for row in rows:
        said.append(row)
        characters -= len(row[3])
        if characters <= 0:
            break
    else:
        if most < len(said):
            return None
    in_order = sorted(row for row in said if row[0] <= last.number)
    return [Said(sender, content) for _, _, sender, content in in_order]


def reply_to(connection: Connection, message: Message) -> Message | None:
    """The first reply that answers a message of the user."""
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = (SELECT chat FROM messages WHERE number = ?) AND m.number > ?"
        " AND m.sender = 'assistant' AND coalesce(m.answers, m.number) >= ?"
        " ORDER BY m.number LIMIT 1",
        (message.number, message.number, message.number),
    ).fetchone()
    return row and from_row(row)


def is_being_written(connection: Connection, id: str) -> bool:
    """Whether a reply has not ended yet."""
    row = connection.execute("SELECT status FROM messages WHERE id = ?", (id,)).fetchone()
    return row is not None and row[0] == "streaming"


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
    message = _insert(
        connection,
        user,
        chat,
        Message(
            number=0,
            id=id,
            chat_id=chat_id,
            content=content,
            sender="user",
            timestamp=now,
            status="complete",
            model=None,
            client_id=client_id,
            seq=frames.next_seq(connection, user),
        ),
    )
    _keep_reply_last(connection, chat)
    change = None
    if not is_titled:  # only then, because the title's words are indexed anew
        connection.execute("UPDATE chats SET title = ? WHERE number = ?", (opening_words, chat))
        change = frames.chat_changed(connection, user, chat_id)
    connection.execute(
        "UPDATE chats SET updated_at = ?, is_titled = 1 WHERE number = ?", (now, chat)
    )
    return Added(message, True, change)


def begin_reply(
    connection: Connection, chat_id: str, id: str, model: str, now: str
) -> Begun | None:
    """Begin a reply to what the user said last; None if the chat is gone."""
    found = connection.execute("SELECT number, user FROM chats WHERE id = ?", (chat_id,)).fetchone()
    if found is None:
        return None
    chat, user = found
    answers = _last_of_user(connection, chat)
    if answers is None:
        return None
    reply = _insert(
        connection,
        user,
        chat,
        Message(0, id, chat_id, "", "assistant", now, "streaming", model, None),
        answers=answers.number,
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    read = frames.read(connection, user, chat, answers.id, "assistant", now)
    return Begun(reply, answers, read)


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
        " error = NULL, answers = ?, seq = 0 WHERE number = ?",
        (model, now, answers.number, last.number),
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    reply = Message(last.number, last.id, chat_id, "", "assistant", now, "streaming", model, None)
    read = frames.read(connection, user, chat, answers.id, "assistant", now)
    return Begun(reply, answers, read)


def checkpoint(connection: Connection, id: str, content: str) -> None:
    """Keep what a reply has said so far, for the case of a crash."""
    connection.execute(
        "UPDATE messages SET content = ? WHERE id = ? AND status = 'streaming'", (content, id)
    )


def end_reply(
    connection: Connection,
    id: str,
    content: str,
    status: Status,
    error: dict[str, str] | None,
    now: str,
) -> Message | None:
    """The reply as it will stay; None if its chat was deleted meanwhile."""
    found = connection.execute(
        "SELECT number, user, chat FROM messages WHERE id = ?", (id,)
    ).fetchone()
    if found is None:
        return None
    number, user, chat = found
    connection.execute(
        "UPDATE messages SET content = ?, status = ?, error = ?, timestamp = ?, seq = ?"
        " WHERE number = ?",
        (
            content,
            status,
            error and json.dumps(error),
            now,
            frames.next_seq(connection, user),
            number,
        ),
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    return at(connection, number)


def interrupt_all(connection: Connection) -> None:
    """Mark the replies that a crash cut off; they keep what was stored."""
    cut = connection.execute("SELECT number, user FROM messages WHERE status = 'streaming'")
    for number, user in cut.fetchall():
        connection.execute(
            "UPDATE messages SET status = 'interrupted', seq = ? WHERE number = ?",
            (frames.next_seq(connection, user), number),
        )


def insert_imported(
    connection: Connection, user: int, chat: int, messages: Iterable[Message]
) -> None:
    """Store messages of an import, oldest first."""
    for message in messages:
        try:
            _insert(connection, user, chat, message)
        except sqlite3.IntegrityError:
            raise Conflict("messages: the same client_id stands in two of them.") from None


def _last_of_user(connection: Connection, chat: int) -> Message | None:
    row = connection.execute(
        f"{_SELECT} WHERE m.chat = ? AND m.sender = 'user' ORDER BY m.number DESC LIMIT 1", (chat,)
    ).fetchone()
    return row and from_row(row)


def _keep_reply_last(connection: Connection, chat: int) -> None:
    """If a reply is being written, move it behind what was just said."""
    reply = connection.execute(
        "SELECT number FROM messages INDEXED BY messages_streaming"
        " WHERE status = 'streaming' AND chat = ?",
        (chat,),
    ).fetchone()
    if reply is None:
        return
    number = connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'messages' RETURNING seq"
    ).fetchone()
    connection.execute("UPDATE messages SET number = ? WHERE number = ?", (*number, *reply))


def _insert(
    connection: Connection, user: int, chat: int, message: Message, answers: int | None = None
) -> Message:
    """Store a message as the last of its chat; the message with its number."""
    added = connection.execute(
        "INSERT INTO messages (id, chat, user, sender, content, timestamp, status, model,"
        " client_id, error, seq, answers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.id,
            chat,
            user,
            message.sender,
            message.content,
            message.timestamp,
            message.status,
            message.model,
            message.client_id,
            message.error and json.dumps(message.error),
            message.seq,
            answers,
        ),
    )
    assert added.lastrowid is not None
    return replace(message, number=added.lastrowid)
