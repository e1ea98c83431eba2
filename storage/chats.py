"""Chats: their list, search in them, and what was read of them.

How many there are, and what each shows in the list, is kept by triggers (`migrations`): the first
page costs the same for ten chats and for a hundred thousand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from core.errors import NotFound
from core.records import Chat, ChatChange, JsonPage, Message, ReadMark
from storage import messages, search, search_text, sequence
from storage.connection import Connection
from storage.snippets import snippet

_SELECT = (
    "SELECT c.number, c.id, c.title, c.model, c.created_at, c.updated_at, c.message_count,"
    " c.unread_count, m.number, m.id, c.id, m.content, m.sender, m.timestamp, m.status, m.model,"
    " m.client_id, m.error, m.seq FROM chats c LEFT JOIN messages m ON m.number = c.last_message"
)


# `Chat.public()`, as `messages.PUBLIC` is that of a message.
_PUBLIC = (
    "SELECT json_object('id', c.id, 'title', c.title, 'model', c.model, 'created_at', c.created_at,"
    " 'updated_at', c.updated_at, 'message_count', c.message_count, 'unread_count', c.unread_count,"
    f" 'last_message', CASE WHEN m.number IS NOT NULL THEN {messages.PUBLIC} END) AS item"
    " FROM chats c LEFT JOIN messages m ON m.number = c.last_message"
)
_PUBLIC_NUMBERED = _PUBLIC.replace("SELECT json_object", "SELECT c.number, json_object", 1)
_PAGE = (
    f"SELECT chat_count, (SELECT group_concat(item) FROM ({_PUBLIC} WHERE c.number IN"
    " (SELECT number FROM chats WHERE user = u.number"
    " ORDER BY updated_at DESC, number DESC LIMIT ? OFFSET ?)"
    " ORDER BY c.updated_at DESC, c.number DESC)) FROM users u WHERE u.number = ?"
)


def _from_row(row: tuple[Any, ...]) -> Chat:
    last = messages.from_row(row[8:]) if row[8] is not None else None
    columns = (*row[:8], last)
    return Chat(*columns)


def find(connection: Connection, user: int, id: str) -> Chat:
    """Raises `NotFound`, for another user's chat too."""
    row = connection.execute(f"{_SELECT} WHERE c.id = ? AND c.user = ?", (id, user)).fetchone()
    if row is None:
        raise NotFound("chat")
    return _from_row(row)


def check(connection: Connection, user: int, id: str) -> int:
    """The number of a user's chat. Raises `NotFound`."""
    return _own(connection, user, id)[0]


def own_model(connection: Connection, user: int, id: str) -> str:
    """The model that a user's chat asks for. Raises `NotFound`."""
    return _own(connection, user, id)[1]


def model_of(connection: Connection, id: str) -> str:
    """The model that a chat asks for; empty if the chat is gone."""
    row = connection.execute("SELECT model FROM chats WHERE id = ?", (id,)).fetchone()
    return row[0] if row else ""


def page(connection: Connection, user: int, limit: int, offset: int) -> JsonPage:
    """A user's chats, newest first. A deep page walks only the index, not the rows."""
    total, items = connection.execute(_PAGE, (limit, offset, user)).fetchone()
    return JsonPage(items or "", total)


def find_with(connection: Connection, user: int, query: str, limit: int, offset: int) -> JsonPage:
    """The chats in whose title or messages every word of the query occurs, newest first.

    Each has a `match`: the newest message that holds a word, or null if only the title does.
    Raises `InvalidRequest` for a query that is too long or takes too long.
    """
    found = search.chats_with(connection, user, query)
    rows = connection.execute(
        f"SELECT number, item FROM ({_PUBLIC_NUMBERED} WHERE c.number IN"
        " (SELECT value FROM json_each(?))"
        " ORDER BY c.updated_at DESC, c.number DESC LIMIT ? OFFSET ?)",
        (json.dumps(list(found.chats)), limit, offset),
    ).fetchall()
    items = [
        f'{item[:-1]},"match":{_match(connection, user, number, query, found.words)}}}'
        for number, item in rows
    ]
    return JsonPage(",".join(items), len(found.chats))


def _match(
    connection: Connection, user: int, chat: int, query: str, words: list[search_text.Word]
) -> str:
    """The `match` of a search hit, as JSON."""
    match = search.newest_match(connection, user, chat, words)
    if match is None:
        return "null"
    id, content = match
    return json.dumps({"message_id": id, "snippet": snippet(content, query)}, ensure_ascii=False)


def add(
    connection: Connection, user: int, id: str, title: str, is_titled: bool, model: str, now: str
) -> ChatChange:
    chat = _insert(connection, user, id, title, is_titled, model, now)
    return ChatChange(id, chat, sequence.chat_changed(connection, user, id))


def add_imported(
    connection: Connection, user: int, chat: dict[str, Any], said: Iterable[Message]
) -> ChatChange:
    """Store a chat of an import with its messages; all of it counts as read."""
    added = _insert(
        connection, user, chat["id"], chat["title"], True, chat["model"], chat["created_at"]
    )
    messages.insert_imported(connection, user, added.row_id, said)
    connection.execute(
        "UPDATE chats SET updated_at = ?, unread_count = 0, read_number = coalesce(last_message, 0)"
        " WHERE number = ?",
        (chat["updated_at"], added.row_id),
    )
    return changed(connection, user, added.id)


def update(
    connection: Connection, user: int, id: str, title: str | None, model: str | None, now: str
) -> ChatChange:
    """Change what is not None. Raises `NotFound`."""
    number = check(connection, user, id)
    if title is not None:
        connection.execute(
            "UPDATE chats SET title = ?, is_titled = 1 WHERE number = ?", (title, number)
        )
    connection.execute(
        "UPDATE chats SET model = coalesce(?, model), updated_at = ? WHERE number = ?",
        (model, now, number),
    )
    return changed(connection, user, id)


def delete(connection: Connection, user: int, id: str) -> ChatChange:
    """Delete a chat with all that was said in it. Raises `NotFound`."""
    connection.execute("DELETE FROM chats WHERE number = ?", (check(connection, user, id),))
    return ChatChange(id, None, sequence.chat_changed(connection, user, id))


def mark_read(
    connection: Connection, user: int, id: str, message_id: str | None, now: str
) -> ReadMark | None:
    """Note that the user has read up to a message, or all. None if there is nothing to read.

    What was read stays read: the mark is the furthest one. Raises `NotFound`.
    """
    chat = check(connection, user, id)
    if message_id is None:
        message = messages.last_said(connection, chat)
    else:
        message = messages.find(connection, chat, message_id)
    if message is None:
        return None
    advanced = connection.execute(
        "UPDATE chats SET read_number = ?, unread_count = (SELECT COUNT(*) FROM messages m"
        " WHERE m.chat = chats.number AND m.number > ? AND m.sender = 'assistant'"
        " AND m.status <> 'streaming')"
        " WHERE number = ? AND read_number < ?",
        (message.row_id, message.row_id, chat, message.row_id),
    ).rowcount
    read = message.id if advanced else sequence.last_read(connection, chat) or message.id
    return sequence.read(connection, user, chat, read, "user", now)


def changed(connection: Connection, user: int, id: str) -> ChatChange:
    """A chat as it is by now, and the number of the frame that tells it."""
    seq = sequence.chat_changed(connection, user, id)
    return ChatChange(id, find(connection, user, id), seq)


def _own(connection: Connection, user: int, id: str) -> tuple[int, str]:
    row: tuple[int, str] | None = connection.execute(
        "SELECT number, model FROM chats WHERE id = ? AND user = ?", (id, user)
    ).fetchone()
    if row is None:
        raise NotFound("chat")
    return row


def _insert(
    connection: Connection, user: int, id: str, title: str, is_titled: bool, model: str, now: str
) -> Chat:
    added = connection.execute(
        "INSERT INTO chats (id, user, title, is_titled, model, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, user, title, is_titled, model, now, now),
    )
    assert added.lastrowid is not None
    return Chat(added.lastrowid, id, title, model, now, now, 0, 0, None)
