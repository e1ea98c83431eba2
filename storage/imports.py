"""Imports: a hidden chat, its messages in slices, and at the end the visible chat."""

from __future__ import annotations

import time
from collections.abc import Sequence

from core.errors import NotFound
from core.records import Message
from storage import chats, hidden_chats, messages, quota, versions
from storage.connection import Connection


def begin(connection: Connection, user: int, new: chats.NewChat) -> int:
    """Store a hidden chat without messages; return its row id."""
    chat = chats.insert(connection, user, new)
    hidden_chats.hide(connection, user, chat.row_id)
    return chat.row_id


def append(
    connection: Connection, user: int, chat: int, said: Sequence[Message], start: int
) -> int:
    """Store messages from index `start` on for one slice; return the index that comes next.

    Raises `NotFound` if the account was deleted meanwhile, `Conflict` for a repeated client id, and
    `QuotaExceeded`.
    """
    if connection.execute("SELECT 1 FROM chats WHERE number = ?", (chat,)).fetchone() is None:
        raise NotFound("account")
    quota.check(connection, user, _size(said[start:]))
    until = time.monotonic() + hidden_chats.SLICE_SECONDS
    for index in range(start, len(said)):
        messages.insert_imported(connection, user, chat, said[index : index + 1])
        if time.monotonic() > until:
            return index + 1
    return len(said)


def finish(
    connection: Connection,
    user: int,
    chat: int,
    new: chats.NewChat,
    updated_at: str,
    leaf: str | None = None,
) -> chats.Added:
    """Give the chat its fields, mark all of it as read, and show it.

    Raises `NotFound` and `QuotaExceeded`.

    `leaf` is the last message to show, of an import with versions. If another chat has its
    `client_id` by now, that one is returned, and this one stays hidden.
    """
    stored = chats.with_client_id(connection, user, new.client_id)
    if stored is not None:
        return chats.Added(stored, None)
    quota.check(connection, user, len((new.system_prompt or "").encode()))
    if leaf is not None:
        versions.rebuild(connection, chat, messages.find(connection, chat, leaf).row_id)
    hidden_chats.show(connection, chat)
    connection.execute(
        "UPDATE chats SET title = ?, is_titled = 1, model = ?, created_at = ?, updated_at = ?,"
        " system_prompt = ?, parameters = ?, is_pinned = ?, is_archived = ?, client_id = ?,"
        " unread_count = 0,"
        " read_number = coalesce((SELECT MAX(number) FROM messages WHERE chat = chats.number), 0)"
        " WHERE number = ?",
        (
            new.title,
            new.model,
            new.created_at,
            updated_at,
            new.system_prompt,
            new.parameters,
            new.is_pinned,
            new.is_archived,
            new.client_id,
            chat,
        ),
    )
    change = chats.changed(connection, user, new.id)
    assert change.chat is not None
    return chats.Added(change.chat, change)


def add(
    connection: Connection,
    user: int,
    new: chats.NewChat,
    updated_at: str,
    said: Sequence[Message],
    leaf: str | None = None,
) -> chats.Added:
    """Store a whole chat in one transaction, unless there is one with its `client_id`.

    Raises what `append` raises.
    """
    stored = chats.with_client_id(connection, user, new.client_id)
    if stored is not None:
        return chats.Added(stored, None)
    quota.check(connection, user, _size(said))
    chat = begin(connection, user, new._replace(client_id=None, system_prompt=None))
    messages.insert_imported(connection, user, chat, said)
    return finish(connection, user, chat, new, updated_at, leaf)


def _size(said: Sequence[Message]) -> int:
    return sum(len(m.content.encode()) + len((m.reasoning or "").encode()) for m in said)
