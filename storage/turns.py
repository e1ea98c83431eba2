"""Turns: store a user's message, begin its reply, and end the reply.

At most one reply is streaming in a chat; these transactions guarantee that. A streaming reply is
always the last message of its chat: it gets a new row id when the user sends another message. So
messages are listed in the order in which they were completed, the order of their sequence numbers.
A reply's row stores which message it answers, for the next prompt. All of this is about the chat's
path (`versions`): a reply answers the user's last message there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from core.errors import Conflict, NotFound
from core.records import ChatChange, File, Message, ReadMark, Sender
from storage import chats, messages, quota, sequence, uploads, versions
from storage.connection import Connection

MAX_HISTORY = 2_000  # messages to read for a prompt


class NewReply(NamedTuple):
    """The id of a new reply, and the model that will write it."""

    id: str
    model: str


class Begun(NamedTuple):
    """A reply whose row is stored, the last message that it answers, and data for publishing."""

    message: Message
    answers: Message
    read: ReadMark  # the assistant has read the message
    instructions: chats.Instructions
    change: ChatChange | None = None  # set if the reply took the place of another version


class PastMessage(NamedTuple):
    """A message of the conversation before a reply."""

    sender: Sender
    content: str
    attachments: tuple[File, ...] = ()


class Stored(NamedTuple):
    """A user's message, and whether it is new or was stored before under its `client_id`.

    `change` is set if the message titled its chat, `begun` if the commit also began the reply.
    """

    message: Message
    is_new: bool
    change: ChatChange | None = None
    begun: Begun | None = None


def add_message(
    connection: Connection,
    user: int,
    message: Message,
    opening_words: str = "",
    reply: NewReply | None = None,
    file_ids: Sequence[str] = (),
    replaces: str | None = None,
) -> Stored:
    """Store a user's message with its files; begin `reply` unless a reply is streaming.

    With `replaces`, it becomes a version of the message with that id. A repeated `client_id`
    returns the message stored before. An untitled chat gets `opening_words` as its title. Raises
    `NotFound` for another user's chat or file, `Conflict` for a `client_id` that was sent with
    different content or files, what `versions.begin_version` raises, and `QuotaExceeded`.
    """
    found = connection.execute(
        "SELECT number, is_titled FROM chats WHERE id = ? AND user = ?", (message.chat_id, user)
    ).fetchone()
    if found is None:
        raise NotFound("chat")
    chat, is_titled = found
    if message.client_id is not None:
        row = connection.execute(
            f"{messages.SELECT} WHERE m.chat = ? AND m.client_id = ?", (chat, message.client_id)
        ).fetchone()
        if row is not None:
            stored = messages.from_row(row)
            if stored.content != message.content or not _has_same_files(
                connection, user, stored, file_ids
            ):
                raise Conflict("client_id: was already used in this chat with different content.")
            return Stored(stored, False)
    quota.check(connection, user, len(message.content.encode()))
    files = uploads.attachable(connection, user, file_ids)
    attachments = tuple(stored.file for stored in files)
    if replaces is not None:
        versions.begin_version(connection, chat, replaces, "user")
    seq = sequence.next_seq(connection, user)
    message = replace(message, seq=seq, attachments=attachments)
    message = messages.insert(connection, user, chat, message)
    uploads.attach(connection, message.row_id, files)
    is_answering = _keep_reply_last(connection, chat, message.row_id)
    if is_answering:
        message = messages.placed(connection, message)
    if not is_titled:  # only if needed, because it reindexes the title's words
        connection.execute("UPDATE chats SET title = ? WHERE number = ?", (opening_words, chat))
    connection.execute(
        "UPDATE chats SET updated_at = ?, is_titled = 1 WHERE number = ?",
        (message.timestamp, chat),
    )
    change = None if is_titled else chats.changed(connection, user, message.chat_id)
    begun = None
    if reply is not None and not is_answering:
        begun = _begin(connection, user, chat, message, reply, message.timestamp)
    return Stored(message, True, change, begun)


def _has_same_files(
    connection: Connection, user: int, stored: Message, file_ids: Sequence[str]
) -> bool:
    """Return whether a repeated message has the same files, which may have been uploaded again."""
    if [file.id for file in stored.attachments] == [*file_ids]:
        return True
    sent = [again.file for again in uploads.attachable(connection, user, file_ids)]
    return [replace(file, id="", created_at="") for file in sent] == [
        replace(file, id="", created_at="") for file in stored.attachments
    ]


def begin_reply(connection: Connection, chat_id: str, reply: NewReply, now: str) -> Begun | None:
    """Begin a reply to the user's last message on the path.

    Return None if the chat was deleted, if a message stored meanwhile has begun a reply, or if
    the path has changed so that its last message has one.
    """
    found = connection.execute("SELECT number, user FROM chats WHERE id = ?", (chat_id,)).fetchone()
    if found is None:
        return None
    chat, user = found
    answers = _last_of_user(connection, chat)
    if answers is None or versions.streaming_in(connection, chat) is not None:
        return None
    if _is_answered(connection, chat, answers):
        return None
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    return _begin(connection, user, chat, answers, reply, now)


def regenerate(
    connection: Connection,
    user: int,
    chat_id: str,
    reply: NewReply,
    now: str,
    message_id: str | None = None,
) -> Begun:
    """Begin another version of a reply, or the missing reply to the last message.

    Without a `message_id`, that is the last message on the path. Raises `NotFound` for another
    user's chat, `Conflict` if there is nothing to answer, and what `versions.begin_version` and
    `quota.check` raise.
    """
    chat = chats.check(connection, user, chat_id)
    last = chats.find(connection, user, chat_id).last_message
    if last is None:
        raise Conflict("There is nothing to regenerate: this chat has no message yet.")
    quota.check(connection, user, 0)
    if message_id is None and last.sender == "user":
        begun = begin_reply(connection, chat_id, reply, now)
        assert begun is not None
        return begun
    versions.begin_version(connection, chat, message_id or last.id, "assistant")
    answers = _last_of_user(connection, chat)
    if answers is None:
        raise Conflict("There is nothing to regenerate: no message comes before this reply.")
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (now, chat))
    begun = _begin(connection, user, chat, answers, reply, now)
    return begun._replace(change=chats.changed(connection, user, chat_id))


def checkpoint(connection: Connection, id: str, content: str, reasoning: str | None) -> None:
    """Store the text of an unfinished reply, in case of a crash."""
    connection.execute(
        "UPDATE messages SET content = ?, reasoning = ? WHERE id = ? AND status = 'streaming'",
        (content, reasoning, id),
    )


def end_reply(connection: Connection, ended: Message) -> Message | None:
    """Store the end of a reply; return it, or None if its chat was deleted meanwhile."""
    found = connection.execute(
        "SELECT number, user, chat FROM messages WHERE id = ?", (ended.id,)
    ).fetchone()
    if found is None:
        return None
    row_id, user, chat = found
    seq = sequence.next_seq(connection, user)
    connection.execute(
        "UPDATE messages SET content = ?, status = ?, error = ?, timestamp = ?, seq = ?,"
        " reasoning = ?, finish_reason = ?, prompt_tokens = ?, completion_tokens = ?"
        " WHERE number = ?",
        (
            ended.content,
            ended.status,
            ended.error and json.dumps(ended.error),
            ended.timestamp,
            seq,
            ended.reasoning,
            ended.finish_reason,
            ended.usage and ended.usage.prompt_tokens,
            ended.usage and ended.usage.completion_tokens,
            row_id,
        ),
    )
    connection.execute("UPDATE chats SET updated_at = ? WHERE number = ?", (ended.timestamp, chat))
    return messages.placed(connection, replace(ended, row_id=row_id, seq=seq))


def interrupt_all(connection: Connection) -> None:
    """Mark replies that a crash cut off as `interrupted`; they keep their stored text."""
    cut = connection.execute("SELECT number, user FROM messages WHERE status = 'streaming'")
    for number, user in cut.fetchall():
        connection.execute(
            "UPDATE messages SET status = 'interrupted', seq = ? WHERE number = ?",
            (sequence.next_seq(connection, user), number),
        )


def history_until(
    connection: Connection, last: Message, characters: int, most: int
) -> list[PastMessage] | None:
    """Return the path up to a user's message, each reply after the message that it answers.

    Return the latest non-empty messages that together have at least `characters` characters. Return
    None if there are more than `most` of them, provided that `most` is less than `MAX_HISTORY`.
    """
    rows = connection.execute(
        "SELECT coalesce(m.answers, m.number), m.number, m.sender, m.content, m.attachments"
        " FROM path p CROSS JOIN messages m ON m.number = p.number"
        " WHERE p.chat = (SELECT chat FROM messages WHERE number = ?) AND m.content <> ''"
        " AND m.status <> 'streaming' ORDER BY p.number DESC LIMIT ?",
        (last.row_id, min(most + 1, MAX_HISTORY)),
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
    in_order = sorted(row for row in said if row[0] <= last.row_id)
    return [
        PastMessage(sender, content, messages.attached(attachments))
        for _, _, sender, content, attachments in in_order
    ]


def reply_to(connection: Connection, message: Message) -> Message | None:
    """Return the first reply to a user's message on the path; None if there is none."""
    row = connection.execute(
        f"{messages.SELECT} JOIN path p ON p.chat = m.chat AND p.number = m.number"
        " WHERE p.chat = (SELECT chat FROM path JOIN messages USING (chat, number)"
        " WHERE messages.number = :number) AND p.number > :number AND m.sender = 'assistant'"
        " AND coalesce(m.answers, m.number) >= :number ORDER BY p.number LIMIT 1",
        {"number": message.row_id},
    ).fetchone()
    return row and messages.from_row(row)


def is_streaming(connection: Connection, id: str) -> bool:
    """Return whether a reply is still streaming."""
    row = connection.execute("SELECT status FROM messages WHERE id = ?", (id,)).fetchone()
    return row is not None and row[0] == "streaming"


def _begin(
    connection: Connection, user: int, chat: int, answers: Message, reply: NewReply, now: str
) -> Begun:
    message = _streaming(0, reply.id, answers.chat_id, reply.model, now)
    message = messages.insert(connection, user, chat, message, answers=answers.row_id)
    read = sequence.read(connection, user, chat, answers.id, "assistant", now)
    return Begun(message, answers, read, chats.instructions(connection, chat))


def _streaming(number: int, id: str, chat_id: str, model: str, now: str) -> Message:
    return Message(number, id, chat_id, "", "assistant", now, "streaming", model, None)


def _last_of_user(connection: Connection, chat: int) -> Message | None:
    """Return the user's last message on the path, if any."""
    row = connection.execute(
        f"{messages.SELECT} WHERE m.number = (SELECT p.number FROM path p CROSS JOIN messages s"
        " ON s.number = p.number WHERE p.chat = ? AND s.sender = 'user'"
        " ORDER BY p.number DESC LIMIT 1)",
        (chat,),
    ).fetchone()
    return row and messages.from_row(row)


def _is_answered(connection: Connection, chat: int, message: Message) -> bool:
    """Return whether a reply on the path answers the user's last message."""
    row = connection.execute(
        "SELECT 1 FROM path p CROSS JOIN messages m ON m.number = p.number WHERE p.chat = ?"
        " AND p.number > ? AND coalesce(m.answers, m.number) >= ? LIMIT 1",
        (chat, message.row_id, message.row_id),
    ).fetchone()
    return row is not None


def _keep_reply_last(connection: Connection, chat: int, newest: int) -> bool:
    """Move a streaming reply behind the newest message; return whether there is one."""
    reply = versions.streaming_in(connection, chat)
    if reply is None:
        return False
    (row_id,) = connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'messages' RETURNING seq"
    ).fetchone()
    connection.execute(
        "UPDATE messages SET number = ?, parent = ? WHERE number = ?", (row_id, newest, reply)
    )
    return True
