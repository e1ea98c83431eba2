"""Messages: rows and pages. The row id orders messages within a chat; the public id is opaque."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.errors import Conflict, NotFound
from core.records import File, JsonPage, Message, Usage
from storage.connection import Connection, is_violated

# The columns that `from_row` takes. `m` is the message, `c` its chat.
COLUMNS = (
    "m.number, m.id, c.id, m.content, m.sender, m.timestamp, m.status, m.model, m.client_id,"
    " m.error, m.seq, m.reasoning, m.finish_reason, m.prompt_tokens, m.completion_tokens,"
    " m.attachments"
)
SELECT = f"SELECT {COLUMNS} FROM messages m JOIN chats c ON c.number = m.chat"

PREVIEW_CHARACTERS = 500  # of a message in a list of chats


def _public(content: str, reasoning: str) -> str:
    """Return the SQL of `Message.public()` with these expressions as content and reasoning."""
    fields = (
        f"json_object('id', m.id, 'chat_id', c.id, 'content', {content}, 'sender', m.sender,"
        " 'timestamp', m.timestamp, 'status', m.status, 'model', m.model, 'client_id',"
        f" m.client_id, 'reasoning', {reasoning}, 'finish_reason', m.finish_reason, 'usage',"
        " CASE WHEN m.prompt_tokens IS NOT NULL THEN json_object('prompt_tokens', m.prompt_tokens,"
        " 'completion_tokens', m.completion_tokens) END,"
        " 'attachments', json(coalesce(m.attachments, '[]')))"
    )
    return (
        f"CASE WHEN m.error IS NULL THEN {fields}"
        f" ELSE json_insert({fields}, '$.error', json(m.error)) END"
    )


def _cut(text: str) -> str:
    return f"substr({text}, 1, {PREVIEW_CHARACTERS})"


# `Message.public()` as JSON built by SQLite, which takes a quarter of the time of building it from
# records. A test compares the two. `m` is the message, `c` its chat.
PUBLIC = _public("m.content", "m.reasoning")
# The same for a list of chats, truncated so that its size does not depend on message lengths.
PREVIEW = (
    f"CASE WHEN length(m.content) <= {PREVIEW_CHARACTERS}"
    f" AND coalesce(length(m.reasoning), 0) <= {PREVIEW_CHARACTERS} THEN {PUBLIC}"
    f" ELSE json_insert({_public(_cut('m.content'), _cut('m.reasoning'))},"
    " '$.is_truncated', json('true')) END"
)

_PAGE = {  # by whether the newest message comes first
    newest_first: (
        f"SELECT {PUBLIC} FROM messages m JOIN chats c ON c.number = m.chat WHERE m.number IN"
        f" (SELECT number FROM messages WHERE chat = ? ORDER BY number {order} LIMIT ? OFFSET ?)"
        f" ORDER BY m.number {order}"
    )
    for newest_first, order in ((False, "ASC"), (True, "DESC"))
}
MAX_PAGE_BYTES = 4 << 20


def from_row(row: tuple[Any, ...]) -> Message:
    """Return a message from a row of `COLUMNS`."""
    error, seq, reasoning, finish_reason, prompt_tokens, completion_tokens, attachments = row[9:]
    usage = None if prompt_tokens is None else Usage(prompt_tokens, completion_tokens)
    files = attached(attachments)
    rest = (error and json.loads(error), seq, reasoning, finish_reason, usage, files)
    columns = (*row[:9], *rest)
    return Message(*columns)


def attached(attachments: str | None) -> tuple[File, ...]:
    """Return the files of the column `attachments`."""
    return tuple(File(**file) for file in json.loads(attachments)) if attachments else ()


def at(connection: Connection, number: int) -> Message:
    """Return the message with this row id."""
    return from_row(connection.execute(f"{SELECT} WHERE m.number = ?", (number,)).fetchone())


def find(connection: Connection, chat: int, id: str) -> Message:
    """Return a message of a chat. Raises `NotFound`."""
    row = connection.execute(f"{SELECT} WHERE m.id = ? AND m.chat = ?", (id, chat)).fetchone()
    if row is None:
        raise NotFound("message in this chat")
    return from_row(row)


def page(
    connection: Connection, user: int, chat_id: str, limit: int, offset: int, newest_first: bool
) -> JsonPage:
    """Return a page of a chat's messages. A deep page scans only the index (chat, number).

    Raises `NotFound`.
    """
    found = connection.execute(
        "SELECT number, message_count FROM chats WHERE id = ? AND user = ?", (chat_id, user)
    ).fetchone()
    if found is None:
        raise NotFound("chat")
    chat, total = found
    items: list[str] = []
    size = 0
    for (item,) in connection.execute(_PAGE[newest_first], (chat, limit, offset)):
        size += len(item.encode())
        if items and size > MAX_PAGE_BYTES:
            break
        items.append(item)
    return JsonPage(",".join(items), total, len(items))


def everything(connection: Connection, chat: int) -> list[Message]:
    """Return all messages of a chat, oldest first."""
    rows = connection.execute(f"{SELECT} WHERE m.chat = ? ORDER BY m.number", (chat,))
    return [from_row(row) for row in rows]


def last_finished(connection: Connection, chat: int) -> Message | None:
    """Return the last message that is not streaming; None if there is none."""
    row = connection.execute(
        f"{SELECT} WHERE m.chat = ? AND m.status <> 'streaming' ORDER BY m.number DESC LIMIT 1",
        (chat,),
    ).fetchone()
    return row and from_row(row)


def insert_imported(
    connection: Connection, user: int, chat: int, messages: Iterable[Message]
) -> None:
    """Store imported messages, oldest first."""
    for message in messages:
        try:
            insert(connection, user, chat, message)
        except sqlite3.IntegrityError as error:
            if not is_violated(error, "messages.chat", "messages.client_id"):
                raise
            raise Conflict("messages: two of them have the same client_id.") from None


def insert(
    connection: Connection, user: int, chat: int, message: Message, answers: int | None = None
) -> Message:
    """Append a message to its chat; return it with its sequence number."""
    added = connection.execute(
        "INSERT INTO messages (id, chat, user, sender, content, timestamp, status, model,"
        " client_id, error, seq, answers, reasoning, finish_reason, prompt_tokens,"
        " completion_tokens, attachments)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            message.reasoning,
            message.finish_reason,
            message.usage and message.usage.prompt_tokens,
            message.usage and message.usage.completion_tokens,
            _encoded(message.attachments),
        ),
    )
    assert added.lastrowid is not None
    return replace(message, row_id=added.lastrowid)


def _encoded(attachments: tuple[File, ...]) -> str | None:
    if not attachments:
        return None
    return json.dumps([file.public() for file in attachments], ensure_ascii=False)
