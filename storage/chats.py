"""Chats: list, search, and read position.

Triggers maintain the counts and the last message of each chat (`migrations`), so that the first
page takes the same time for ten chats and for a hundred thousand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from core.errors import NotFound
from core.records import Chat, ChatChange, JsonPage, ReadMark
from storage import hidden_chats, messages, quota, search, sequence
from storage.connection import Connection
from storage.snippets import snippet

_SELECT = (
    "SELECT c.number, c.id, c.title, c.model, c.created_at, c.updated_at, c.message_count,"
    f" c.unread_count, c.system_prompt, c.parameters, c.is_pinned, c.is_archived,"
    f" {messages.COLUMNS}"
    " FROM chats c LEFT JOIN messages m ON m.number = c.last_message"
)


# `Chat.public()` with a preview of the last message, made as `messages.PUBLIC` is.
_PUBLIC = (
    "SELECT json_object('id', c.id, 'title', c.title, 'model', c.model, 'created_at', c.created_at,"
    " 'updated_at', c.updated_at, 'message_count', c.message_count, 'unread_count', c.unread_count,"
    f" 'last_message', CASE WHEN m.number IS NOT NULL THEN {messages.PREVIEW} END, 'leaf_id', m.id,"
    " 'system_prompt', c.system_prompt, 'parameters', json(c.parameters), 'is_pinned',"
    " json(iif(c.is_pinned, 'true', 'false')), 'is_archived',"
    " json(iif(c.is_archived, 'true', 'false'))) AS item"
    " FROM chats c LEFT JOIN messages m ON m.number = c.last_message"
)
_PUBLIC_NUMBERED = _PUBLIC.replace("SELECT json_object", "SELECT c.number, json_object", 1)
_PAGE = (
    "SELECT iif(:archived, archived_count, chat_count - archived_count),"
    f" (SELECT group_concat(item) FROM ({_PUBLIC} WHERE c.number IN"
    " (SELECT number FROM chats WHERE user = u.number AND is_archived = :archived"
    " AND number NOT IN (SELECT chat FROM hidden_chats)"
    " ORDER BY is_pinned DESC, updated_at DESC, number DESC LIMIT :limit OFFSET :offset)"
    " ORDER BY c.is_pinned DESC, c.updated_at DESC, c.number DESC))"
    " FROM users u WHERE u.number = :user"
)


# Setting `title` reindexes its words, and setting a prompt erases the old one. So each column has
# its own statement.
_UPDATES = {
    "title": "UPDATE chats SET title = ?, is_titled = 1 WHERE number = ?",
    "model": "UPDATE chats SET model = ? WHERE number = ?",
    "system_prompt": "UPDATE chats SET system_prompt = ? WHERE number = ?",
    "parameters": "UPDATE chats SET parameters = ? WHERE number = ?",
    "is_pinned": "UPDATE chats SET is_pinned = ? WHERE number = ?",
    "is_archived": "UPDATE chats SET is_archived = ? WHERE number = ?",
}
_ORDER = {"is_pinned", "is_archived"}  # of the user's, which is no change of the chat


def _from_row(row: tuple[Any, ...]) -> Chat:
    last = messages.from_row(row[12:]) if row[12] is not None else None
    columns = (*row[:8], last, *row[8:10], bool(row[10]), bool(row[11]))
    return Chat(*columns)


def find(connection: Connection, user: int, id: str) -> Chat:
    """Return a user's chat. Raises `NotFound`, also for another user's chat."""
    row = connection.execute(f"{_SELECT} WHERE c.id = ? AND c.user = ?", (id, user)).fetchone()
    if row is None:
        raise NotFound("chat")
    return _from_row(row)


def check(connection: Connection, user: int, id: str) -> int:
    """Return the row id of a user's chat. Raises `NotFound`."""
    return _own(connection, user, id)[0]


def own_model(connection: Connection, user: int, id: str) -> str:
    """Return the requested model of a user's chat. Raises `NotFound`."""
    return _own(connection, user, id)[1]


def ids(connection: Connection, user: int) -> list[str]:
    """Return the ids of all chats of a user, oldest first."""
    rows = connection.execute(
        "SELECT id FROM chats WHERE user = ? AND number NOT IN (SELECT chat FROM hidden_chats)"
        " ORDER BY number",
        (user,),
    )
    return [id for (id,) in rows]


class Instructions(NamedTuple):
    """A chat's system prompt and model parameters; `parameters` is a JSON object."""

    system_prompt: str | None
    parameters: str


def instructions(connection: Connection, chat: int) -> Instructions:
    """Return the instructions of the chat with this row id."""
    row = connection.execute(
        "SELECT system_prompt, parameters FROM chats WHERE number = ?", (chat,)
    ).fetchone()
    return Instructions(*row)


def model_of(connection: Connection, id: str) -> str:
    """Return the requested model of a chat; empty if the chat was deleted."""
    row = connection.execute("SELECT model FROM chats WHERE id = ?", (id,)).fetchone()
    return row[0] if row else ""


def is_new_with_title(connection: Connection, id: str, title: str) -> bool:
    """Return whether a chat has this title, and no message after the first one and its reply."""
    row = connection.execute(
        "SELECT title, message_count FROM chats WHERE id = ?", (id,)
    ).fetchone()
    return row is not None and row[0] == title and row[1] <= 2


def retitle(connection: Connection, id: str, title: str, new_title: str) -> ChatChange | None:
    """Replace a chat's title if it is still `title`, without changing its time.

    Return None if it has another title by now, or was deleted.
    """
    row = connection.execute(
        "UPDATE chats SET title = ? WHERE id = ? AND title = ? RETURNING user",
        (new_title, id, title),
    ).fetchone()
    return changed(connection, row[0], id) if row is not None else None


def page(
    connection: Connection, user: int, limit: int, offset: int, *, archived: bool = False
) -> JsonPage:
    """Return a page of a user's chats: pinned ones first, then the newest; or of the archived ones.

    A deep page scans only the index.
    """
    values = {"user": user, "limit": limit, "offset": offset, "archived": archived}
    total, items = connection.execute(_PAGE, values).fetchone()
    return JsonPage(items or "", total)


def find_with(
    connection: Connection,
    user: int,
    query: str,
    limit: int,
    offset: int,
    *,
    archived: bool | None = None,
) -> JsonPage:
    """Return the chats that contain every word of the query in title or messages, newest first.

    `archived` restricts them to those that are archived, or to the others. Each has a `match`: the
    newest message that contains a word, or null if only the title does. Raises `InvalidRequest` for
    a query that is too long or takes too long.
    """
    found = search.chats_with(connection, user, query)
    visible = found.chats - hidden_chats.of(connection, user)
    if archived is not None:
        among = connection.execute(
            "SELECT number FROM chats WHERE user = ? AND is_archived = ?", (user, archived)
        )
        visible &= {number for (number,) in among}
    rows = connection.execute(
        f"SELECT number, item FROM ({_PUBLIC_NUMBERED} WHERE c.number IN"
        " (SELECT value FROM json_each(?))"
        " ORDER BY c.updated_at DESC, c.number DESC LIMIT ? OFFSET ?)",
        (json.dumps(list(visible)), limit, offset),
    ).fetchall()
    matches = search.newest_matches(connection, user, [number for number, _ in rows], found)
    items = [f'{item[:-1]},"match":{_match(matches.get(number), query)}}}' for number, item in rows]
    return JsonPage(",".join(items), len(visible))


def _match(message: tuple[str, str] | None, query: str) -> str:
    """Return the `match` of a search hit, whose message has this id and content, as JSON."""
    if message is None:
        return "null"
    id, content = message
    return json.dumps({"message_id": id, "snippet": snippet(content, query)}, ensure_ascii=False)


class NewChat(NamedTuple):
    """A chat to store. If `is_titled` is false, the first message sets its title."""

    id: str
    title: str
    is_titled: bool
    model: str
    created_at: str
    system_prompt: str | None
    parameters: str  # a JSON object
    client_id: str | None = None  # chosen by the client, so that it can retry
    is_pinned: bool = False
    is_archived: bool = False


class Added(NamedTuple):
    """A chat, and its change if it is new; None if it was stored before under its `client_id`."""

    chat: Chat
    change: ChatChange | None


def with_client_id(connection: Connection, user: int, client_id: str | None) -> Chat | None:
    """Return the chat that a client stored under this id; None if there is none."""
    stored = connection.execute(
        "SELECT id FROM chats WHERE user = ? AND client_id = ?", (user, client_id)
    ).fetchone()
    return find(connection, user, stored[0]) if stored is not None else None


def add(connection: Connection, user: int, new: NewChat) -> Added:
    """Store a new chat. The same `client_id` again returns the stored one.

    Raises `QuotaExceeded`.
    """
    stored = with_client_id(connection, user, new.client_id)
    if stored is not None:
        return Added(stored, None)
    quota.check(connection, user, len((new.system_prompt or "").encode()))
    chat = insert(connection, user, new)
    change = ChatChange(new.id, chat, sequence.chat_changed(connection, user, new.id))
    return Added(chat, change)


def update(
    connection: Connection, user: int, id: str, changes: Mapping[str, str | bool | None], now: str
) -> ChatChange:
    """Change the given fields: those of `_UPDATES`, `parameters` as JSON.

    To pin or to archive a chat does not change its time. Raises `NotFound` and `QuotaExceeded`.
    """
    row_id = check(connection, user, id)
    prompt = changes.get("system_prompt")
    if isinstance(prompt, str):
        quota.check(connection, user, len(prompt.encode()))
    for column, value in changes.items():
        connection.execute(_UPDATES[column], (value, row_id))
    if not changes or changes.keys() - _ORDER:
        connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, row_id))
    return changed(connection, user, id)


class Deleted(NamedTuple):
    """A deleted chat's change, and its row id if it is hidden until its messages are removed."""

    change: ChatChange
    hidden: int | None


def delete(connection: Connection, user: int, id: str) -> Deleted:
    """Delete a chat with all that was said in it; a large one is hidden. Raises `NotFound`."""
    row_id = check(connection, user, id)
    is_gone = hidden_chats.remove(connection, user, row_id)
    change = ChatChange(id, None, sequence.chat_changed(connection, user, id))
    return Deleted(change, None if is_gone else row_id)


def mark_read(
    connection: Connection, user: int, id: str, message_id: str | None, now: str
) -> ReadMark | None:
    """Mark messages as read up to one, or all. Return None if there is nothing to read.

    The mark never moves backwards. Raises `NotFound`.
    """
    chat = check(connection, user, id)
    if message_id is None:
        message = messages.last_finished(connection, chat)
    else:
        message = messages.find(connection, chat, message_id)
    if message is None:
        return None
    advanced = connection.execute(
        "UPDATE chats SET read_number = ?, unread_count = (SELECT COUNT(*) FROM path p CROSS JOIN"
        " messages m ON m.number = p.number WHERE p.chat = chats.number AND p.number > ?"
        " AND m.sender = 'assistant' AND m.status <> 'streaming')"
        " WHERE number = ? AND read_number < ?",
        (message.row_id, message.row_id, chat, message.row_id),
    ).rowcount
    read = message.id if advanced else sequence.last_read(connection, chat) or message.id
    return sequence.read(connection, user, chat, read, "user", now)


def changed(connection: Connection, user: int, id: str) -> ChatChange:
    """Return the current state of a chat, with the sequence number of the frame that sends it."""
    seq = sequence.chat_changed(connection, user, id)
    return ChatChange(id, find(connection, user, id), seq)


def _own(connection: Connection, user: int, id: str) -> tuple[int, str]:
    row: tuple[int, str] | None = connection.execute(
        "SELECT number, model FROM chats WHERE id = ? AND user = ?", (id, user)
    ).fetchone()
    if row is None:
        raise NotFound("chat")
    return row


def insert(connection: Connection, user: int, new: NewChat) -> Chat:
    """Store a new chat, without recording a frame for it."""
    added = connection.execute(
        "INSERT INTO chats (id, user, title, is_titled, model, created_at, updated_at,"
        " system_prompt, parameters, client_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            user,
            new.title,
            new.is_titled,
            new.model,
            new.created_at,
            new.created_at,
            new.system_prompt,
            new.parameters,
            new.client_id,
        ),
    )
    assert added.lastrowid is not None
    return Chat(
        added.lastrowid,
        new.id,
        new.title,
        new.model,
        new.created_at,
        new.created_at,
        0,
        0,
        None,
        new.system_prompt,
        new.parameters,
    )
