"""Seeds: a known state for tests, stored in one transaction, and read back as it is."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import Conflict
from core.records import ChatChange, File, Message, User
from storage import (
    api_keys,
    chats,
    hidden_chats,
    imports,
    messages,
    sessions,
    settings,
    uploads,
    users,
)
from storage.connection import Connection

# Fields of a message in a seed.
_OF_MESSAGES = {
    "id", "content", "sender", "timestamp", "status", "model", "client_id", "parent_id",
    "error", "reasoning", "finish_reason", "usage", "attachments",
}  # fmt: skip


class SeedKey(NamedTuple):
    """An API key to store."""

    id: str
    name: str
    prefix: str
    hash: str


class SeedFile(NamedTuple):
    """A file to store."""

    file: File
    content: bytes


class SeedChat(NamedTuple):
    """A chat to store, with its messages."""

    chat: chats.NewChat
    updated_at: str
    messages: Sequence[Message]
    leaf: str | None = None  # the id of the last message to show, of a chat with versions


class SeedUser(NamedTuple):
    """A user to store. If the address is taken, the rest is added to that account."""

    id: str
    email: str
    name: str
    password_hash: str
    is_admin: bool | None  # None: only the first account is
    is_disabled: bool
    settings: dict[str, Any]
    session: sessions.NewSession | None  # of the fixed access token
    keys: Sequence[SeedKey]
    files: Sequence[SeedFile]
    chats: Sequence[SeedChat]


class Seeded(NamedTuple):
    """A stored user, and the changes to publish."""

    user: User
    changes: list[ChatChange]


def add(connection: Connection, seeds: Sequence[SeedUser], now: str) -> list[Seeded]:
    """Store users with all that is theirs. Raises `Conflict` if an id or a key exists already."""
    try:
        return [_add(connection, seed, now) for seed in seeds]
    except sqlite3.IntegrityError as error:
        taken = str(error).removeprefix("UNIQUE constraint failed: ")
        raise Conflict(f"The seed has a value that exists already: {taken}.") from None


def _add(connection: Connection, seed: SeedUser, now: str) -> Seeded:
    found = users.for_login(connection, seed.email)
    if found is not None:
        user = found[0]
    else:
        user = users.add(connection, seed.id, seed.email, seed.name, seed.password_hash, now)
    if seed.settings:
        settings.merge_of_user(connection, user.row_id, seed.settings, now)
    if seed.session is not None:
        sessions.add(connection, user.row_id, seed.session)
    for id, name, prefix, hash in seed.keys:
        api_keys.add(connection, id, user.row_id, name, prefix, hash, now, None)
    for file, content in seed.files:
        new = uploads.NewFile(file.id, file.name, file.created_at)
        uploads.add(connection, user.row_id, new, content, file.content_type)
    changes: list[ChatChange] = []
    for chat, updated_at, said, leaf in seed.chats:
        added = imports.add(connection, user.row_id, chat, updated_at, said, leaf)
        if added.change is None:
            raise Conflict(f"The seed has the client_id of a chat that exists: {chat.client_id}.")
        changes.append(added.change)
    is_disabled = seed.is_disabled or None
    user = users.administer(
        connection, user.row_id, now, is_admin=seed.is_admin, is_disabled=is_disabled
    )
    return Seeded(user, changes)


def everything(connection: Connection) -> list[dict[str, Any]]:
    """Return all users in the form of a seed, in the order of their creation."""
    return [_user(connection, user) for user in users.every(connection)]


def _user(connection: Connection, user: User) -> dict[str, Any]:
    password_hash, chosen = connection.execute(
        "SELECT password_hash, settings FROM users WHERE number = ?", (user.row_id,)
    ).fetchone()
    keys = connection.execute(
        "SELECT id, name, hash, prefix FROM api_keys WHERE user = ? ORDER BY number",
        (user.row_id,),
    )
    hidden = hidden_chats.of(connection, user.row_id)
    rows = connection.execute(
        "SELECT number, id, title, model, created_at, updated_at, system_prompt, parameters,"
        " client_id, is_pinned, is_archived, (SELECT id FROM messages WHERE number = last_message)"
        " FROM chats WHERE user = ? ORDER BY number",
        (user.row_id,),
    ).fetchall()
    return {
        "id": user.id,
        "email": user.email,
        "password_hash": password_hash,
        "name": user.name,
        "is_admin": user.is_admin,
        "is_disabled": user.is_disabled,
        "settings": json.loads(chosen),
        "api_keys": [
            dict(zip(("id", "name", "hash", "prefix"), row, strict=True)) for row in keys.fetchall()
        ],
        "files": [_file(connection, stored) for stored in uploads.of(connection, user.row_id)],
        "chats": [_chat(connection, row) for row in rows if row[0] not in hidden],
    }


def _file(connection: Connection, stored: uploads.Stored) -> dict[str, Any]:
    content = uploads.beginning(connection, stored.file.id, stored.file.size)
    return {**stored.file.public(), "content": base64.b64encode(content).decode()}


def _chat(connection: Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    number, id, title, model, created_at, updated_at, *rest = row
    system_prompt, parameters, client_id, is_pinned, is_archived, leaf_id = rest
    said = [message.public() for message in messages.everything(connection, number)]
    return {
        "id": id,
        "title": title,
        "model": model,
        "created_at": created_at,
        "updated_at": updated_at,
        "system_prompt": system_prompt,
        "parameters": json.loads(parameters),
        "client_id": client_id,
        "is_pinned": bool(is_pinned),
        "is_archived": bool(is_archived),
        "leaf_id": leaf_id,
        "messages": [
            {name: value for name, value in message.items() if name in _OF_MESSAGES}
            for message in said
        ],
    }
