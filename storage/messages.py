"""Messages: rows and pages. The row id orders messages within a chat; the public id is opaque."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from core.errors import Conflict, NotFound
from core.records import File, JsonPage, Message, Usage
from storage import uploads
from storage.connection import Connection, is_violated


def _versions(condition: str) -> str:
    """Return the SQL that counts the versions of `m` with a condition."""
    return (
        "CASE WHEN m.has_versions THEN (SELECT COUNT(*) FROM messages v WHERE v.chat = m.chat"
        f" AND v.parent IS m.parent AND {condition}) ELSE 1 END"
    )


_PLACE = (  # of `m` in the tree of its chat: `parent_id`, `version` and `version_count`
    "(SELECT p.id FROM messages p WHERE p.number = m.parent)",
    _versions("v.number <= m.number"),
    _versions("TRUE"),
)
_PLACE_OF = f"SELECT {', '.join(_PLACE)} FROM messages m WHERE m.number = ?"
# The columns that `from_row` takes. `m` is the message, `c` its chat.
COLUMNS = (
    "m.number, m.id, c.id, m.content, m.sender, m.timestamp, m.status, m.model, m.client_id,"
    " m.error, m.seq, m.reasoning, m.finish_reason, m.prompt_tokens, m.completion_tokens,"
    " m.attachments,"
    f" {', '.join(_PLACE)}"
)
SELECT = f"SELECT {COLUMNS} FROM messages m JOIN chats c ON c.number = m.chat"

PREVIEW_CHARACTERS = 500  # of a message in a list of chats


def _public(content: str, reasoning: str) -> str:
    """Return the SQL of `Message.public()` with these expressions as content and reasoning."""
    fields = (
        f"json_object('id', m.id, 'chat_id', c.id, 'content', {content}, 'sender', m.sender,"
        " 'timestamp', m.timestamp, 'status', m.status, 'model', m.model, 'client_id',"
        f" m.client_id, 'parent_id', {_PLACE[0]}, 'version', {_PLACE[1]},"
        f" 'version_count', {_PLACE[2]},"
        f" 'reasoning', {reasoning}, 'finish_reason', m.finish_reason, 'usage',"
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
        f" (SELECT number FROM path WHERE chat = ? ORDER BY number {order} LIMIT ? OFFSET ?)"
        f" ORDER BY m.number {order}"
    )
    for newest_first, order in ((False, "ASC"), (True, "DESC"))
}
_THESE = (
    f"SELECT {PUBLIC} FROM messages m JOIN chats c ON c.number = m.chat WHERE m.number IN"
    " (SELECT value FROM json_each(?)) ORDER BY m.number"
)
MAX_PAGE_BYTES = 4 << 20
_NO_PARENT = 0
Side = Literal["before", "after", "around"]
# The last message on the path, but for a streaming reply, which stays the last one.
_LEAF = (
    "(SELECT CASE WHEN l.status = 'streaming' THEN l.parent ELSE l.number END"
    " FROM chats c JOIN messages l ON l.number = c.last_message WHERE c.number = ?)"
)


def from_row(row: tuple[Any, ...]) -> Message:
    """Return a message from a row of `COLUMNS`."""
    error, seq, reasoning, finish_reason, prompt_tokens, completion_tokens, attachments = row[9:16]
    usage = None if prompt_tokens is None else Usage(prompt_tokens, completion_tokens)
    files = attached(attachments)
    rest = (error and json.loads(error), seq, reasoning, finish_reason, usage, files, *row[16:])
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
    return _page(connection.execute(_PAGE[newest_first], (chat, limit, offset)), total)


def public_page(connection: Connection, numbers: Iterable[int], total: int) -> JsonPage:
    """Return the messages with these row ids as a page, oldest first."""
    return _page(connection.execute(_THESE, (json.dumps(list(numbers)),)), total)


def _page(rows: Iterable[tuple[str]], total: int) -> JsonPage:
    items: list[str] = []
    size = 0
    for (item,) in rows:
        size += len(item.encode())
        if items and size > MAX_PAGE_BYTES:
            break
        items.append(item)
    return JsonPage(",".join(items), total, len(items))


def page_beside(
    connection: Connection,
    user: int,
    chat_id: str,
    side: Side,
    id: str,
    limit: int,
    newest_first: bool,
) -> tuple[JsonPage, int]:
    """Return the page of the messages that are older or newer than one, or around it; its offset.

    Raises `NotFound`, also for a version that is not on the path.
    """
    index = _offset_of(connection, user, chat_id, id, newest_first)
    if side == "around":
        offset = max(0, index - limit // 2)
    elif (side == "after") != newest_first:
        offset = index + 1
    else:
        offset = max(0, index - limit)
        limit = index - offset
    return page(connection, user, chat_id, limit, offset, newest_first), offset


def _offset_of(connection: Connection, user: int, chat_id: str, id: str, newest_first: bool) -> int:
    """Return how many messages of a chat are listed before one."""
    row: tuple[int, int] | None = connection.execute(
        "SELECT (SELECT COUNT(*) FROM path WHERE chat = p.chat AND number < p.number),"
        " c.message_count FROM messages m JOIN chats c ON c.number = m.chat"
        " JOIN path p ON p.chat = m.chat AND p.number = m.number"
        " WHERE m.id = ? AND c.id = ? AND c.user = ?",
        (id, chat_id, user),
    ).fetchone()
    if row is None:
        raise NotFound("message in this chat")
    before, count = row
    return count - before - 1 if newest_first else before


def everything(connection: Connection, chat: int) -> list[Message]:
    """Return all messages of a chat with all their versions, oldest first."""
    rows = connection.execute(f"{SELECT} WHERE m.chat = ? ORDER BY m.number", (chat,))
    return [from_row(row) for row in rows]


def last_finished(connection: Connection, chat: int) -> Message | None:
    """Return the last message on the path that is not streaming; None if there is none."""
    row = connection.execute(
        f"{SELECT} WHERE m.number = (SELECT p.number FROM path p CROSS JOIN messages f"
        " ON f.number = p.number WHERE p.chat = ? AND f.status <> 'streaming'"
        " ORDER BY p.number DESC LIMIT 1)",
        (chat,),
    ).fetchone()
    return row and from_row(row)


def insert_imported(
    connection: Connection, user: int, chat: int, messages: Iterable[Message]
) -> None:
    """Store imported messages with their files, oldest first, each below its parent.

    Raises `Conflict`, and `NotFound` for a file that was deleted meanwhile.
    """
    for message in messages:
        try:
            parent = _imported_parent(connection, message)
            row_id = insert(connection, user, chat, message, parent=parent).row_id
        except sqlite3.IntegrityError as error:
            if not is_violated(error, "messages.chat", "messages.client_id"):
                raise
            raise Conflict("messages: two of them have the same client_id.") from None
        if message.attachments:
            files = [uploads.find_importing(connection, user, f.id) for f in message.attachments]
            uploads.attach(connection, row_id, files)


def _imported_parent(connection: Connection, message: Message) -> int | None:
    if message.parent_id is None:
        return None
    row: tuple[int] | None = connection.execute(
        "SELECT number FROM messages WHERE id = ?", (message.parent_id,)
    ).fetchone()
    return row[0] if row else _NO_PARENT


def insert(
    connection: Connection,
    user: int,
    chat: int,
    message: Message,
    answers: int | None = None,
    parent: int | None = None,
) -> Message:
    """Store a message below `parent`, by default at the end of the path; return it as stored."""
    added = connection.execute(
        "INSERT INTO messages (id, chat, user, sender, content, timestamp, status, model,"
        " client_id, error, seq, answers, reasoning, finish_reason, prompt_tokens,"
        " completion_tokens, attachments, parent)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        f" nullif(coalesce(?, {_LEAF}), {_NO_PARENT}))",
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
            parent,
            chat,
        ),
    )
    assert added.lastrowid is not None
    return placed(connection, replace(message, row_id=added.lastrowid))


def placed(connection: Connection, message: Message) -> Message:
    """Return a stored message with its place in the tree of its chat."""
    parent_id, version, version_count = connection.execute(_PLACE_OF, (message.row_id,)).fetchone()
    return replace(message, parent_id=parent_id, version=version, version_count=version_count)


def _encoded(attachments: tuple[File, ...]) -> str | None:
    if not attachments:
        return None
    return json.dumps([file.public() for file in attachments], ensure_ascii=False)
