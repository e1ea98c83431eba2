"""Import an exported chat of up to 16 MiB (contract, section 6).

The document is parsed and stored in slices, between which everybody else gets a turn. The chat is
hidden until all of it is stored. If the import fails or the process dies, `Removal` removes what
was stored.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import schemas
from core import ids, large_documents
from core.errors import InvalidRequest, NotFound, QuilliumError
from core.records import Chat, ChatChange, File, Message, Usage, User
from core.times import CalendarClock, normalized, rfc3339
from services import frames
from services.connections import ConnectionRegistry
from services.removal import Removal
from services.uploads import Uploads, attached_ids
from storage import chats, imports
from storage.chats import Added, NewChat
from storage.database import Database

MAX_BYTES = 16 << 20  # of a document
_MESSAGE = "chat_import.json#/properties/messages/items"
_FILES = "chat_import.json#/properties/files"
_SLICE_MESSAGES = 200
_SLICE_CHARACTERS = 100_000
_TURN_SECONDS = 0.005  # of the event loop, until other requests get a turn

Progress = Callable[[float, int], Awaitable[None]]


class Imports:
    def __init__(
        self,
        db: Database,
        connections: ConnectionRegistry,
        removal: Removal,
        uploads: Uploads,
        clock: CalendarClock,
    ) -> None:
        self._db = db
        self._connections = connections
        self._removal = removal
        self._uploads = uploads
        self._clock = clock

    async def run(self, user: User, data: bytes, progress: Progress | None = None) -> Added:
        """Create a chat from an export: new ids, original times, all messages marked as read.

        A document whose `client_id` a chat of the user has stores nothing and returns that chat.
        `progress(share, count)` is called after each slice with the share of the document and the
        number of messages that are stored. Raises `InvalidRequest`, `Conflict`.
        """
        importing = _Import(self._db, self._uploads, user, rfc3339(self._clock()))
        change: ChatChange | None = None
        try:
            added = await importing.run(data, progress, lambda a: self._publish(user, a))
            change = added.change
            return added
        finally:
            if change is None:
                if importing.chat is not None:
                    self._removal.add(importing.chat)
                await importing.discard_files()

    def _publish(self, user: User, added: Added) -> None:
        if added.change is not None:
            self._connections.publish(user.id, frames.chat(added.change))


class Tree:
    """The tree of a document's messages, by their ids there and here."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}  # here, by the id there
        self._last = ""  # the id of the message before
        self._has_versions = False

    def place(self, document: dict[str, Any], message: Message, name: str) -> Message:
        """Return the message with its parent; `name` is that of the document in errors.

        An empty `parent_id` makes it a first message, None the message after the one before it.
        """
        parent: str | None = None
        if "parent_id" in document:
            given = document["parent_id"]
            if given is not None and given not in self._ids:
                raise InvalidRequest(f"{name}.parent_id: no earlier message has this id")
            parent = "" if given is None else self._ids[given]
            self._has_versions |= parent != self._last
        self._last = message.id
        if document.get("id") is not None:
            self._ids[document["id"]] = message.id
        return replace(message, parent_id=parent)

    def leaf(self, chat: dict[str, Any]) -> str | None:
        """Return the id of the last message to show; None if all of them are shown."""
        if not self._has_versions:
            return None
        leaf: str | None = chat.get("leaf_id")
        if leaf is None:
            return self._last
        if leaf not in self._ids:
            raise InvalidRequest("chat.leaf_id: no message has this id")
        return self._ids[leaf]


class _Import:
    def __init__(self, db: Database, uploads: Uploads, user: User, now: str) -> None:
        self._db = db
        self._uploads = uploads
        self._owner = user
        self._user = user.row_id
        self._now = now
        self._id = ids.new("chat")
        self.chat: int | None = None  # row id of the hidden chat, from the first slice on
        self._slice: list[Message] = []
        self._characters = 0  # of the slice
        self._stored = 0  # messages
        self._tree = Tree()
        self._files: dict[str, File] = {}  # stored for this import, by their id in the document

    async def run(
        self, data: bytes, progress: Progress | None, publish: Callable[[Added], None]
    ) -> Added:
        fields: dict[str, Any] = {}
        stored: Chat | None = None  # by an earlier import: the rest is only checked
        turn_ends = time.monotonic() + _TURN_SECONDS
        for part in large_documents.parts(data, "messages"):
            if part.index is None:
                fields[part.name] = part.value
                if part.name == "files" and stored is None:
                    await self._store_files(fields)
                elif part.name == "chat":
                    stored = self._stored_before(part.value)
                continue
            schemas.validate(_MESSAGE, part.value, f"messages.{part.index}")
            if stored is None:
                await self._take(part, progress)
            if time.monotonic() > turn_ends:
                await asyncio.sleep(0)
                turn_ends = time.monotonic() + _TURN_SECONDS
        schemas.validate("chat_import", fields)
        if stored is not None:
            return Added(stored, None)
        new, updated_at = self._described(fields["chat"])
        leaf = self._tree.leaf(fields["chat"])
        if self.chat is None:
            return await self._db.write(
                imports.add, self._user, new, updated_at, self._slice, leaf, on_commit=publish
            )
        await self._store_slice()
        return await self._db.write(
            imports.finish, self._user, self.chat, new, updated_at, leaf, on_commit=publish
        )

    async def _take(self, part: large_documents.Part, progress: Progress | None) -> None:
        """Take a message, and store the slice that it completes."""
        attachments = self._attachments(part.value.get("attachments", []))
        said = replace(message(part.value, self._id), attachments=attachments)
        self._slice.append(self._tree.place(part.value, said, f"messages.{part.index}"))
        self._characters += len(part.value["content"])
        if len(self._slice) < _SLICE_MESSAGES and self._characters <= _SLICE_CHARACTERS:
            return
        await self._store_slice()
        if progress is not None:
            await progress(part.share, self._stored)

    def _stored_before(self, chat: Any) -> Chat | None:
        """Return the chat that has the `client_id` of a document's chat."""
        if not isinstance(chat, dict) or not isinstance(chat.get("client_id"), str):
            return None
        return self._db.read(chats.with_client_id, self._user, chat["client_id"])

    async def discard_files(self) -> None:
        """Delete the files that were stored; those of stored messages go with the chat."""
        for file in self._files.values():
            with contextlib.suppress(QuilliumError):
                await self._uploads.delete(self._owner, file.id)

    async def _store_files(self, fields: dict[str, Any]) -> None:
        """Store the document's files, which the messages after them refer to."""
        if "messages" in fields:
            raise InvalidRequest("files: must stand before messages")
        schemas.validate(_FILES, fields["files"], "files")
        for index, file in enumerate(fields["files"]):
            try:
                content = base64.b64decode(file["content"], validate=True)
            except ValueError:
                raise InvalidRequest(f"files.{index}.content: expected base64") from None
            file["content"] = "-"  # it is no longer needed
            self._files[file["id"]] = await self._uploads.store(self._owner, file["name"], content)

    def _attachments(self, attachments: list[Any]) -> tuple[File, ...]:
        """Return the files of a message: the document's, and others that the user has."""
        found: list[File] = []
        for id in attached_ids(attachments):
            with contextlib.suppress(NotFound):
                file = self._files.get(id) or self._uploads.find(self._owner, id).file
                found.append(file)
        return tuple(dict.fromkeys(found))

    async def _store_slice(self) -> None:
        if self.chat is None:
            untitled = NewChat(self._id, "", False, "", self._now, None, "{}")
            self.chat = await self._db.write(imports.begin, self._user, untitled)
        start = 0
        while start < len(self._slice):
            start = await self._db.write(imports.append, self._user, self.chat, self._slice, start)
        self._stored += len(self._slice)
        self._slice, self._characters = [], 0

    def _described(self, chat: dict[str, Any]) -> tuple[NewChat, str]:
        """Return the chat of a document, and when it was changed last."""
        new = NewChat(
            self._id,
            chat["title"].strip(),
            True,
            chat["model"],
            normalized(chat.get("created_at", self._now)),
            chat.get("system_prompt") or None,
            json.dumps(chat.get("parameters", {})),
            chat.get("client_id"),
            chat.get("is_pinned", False),
            chat.get("is_archived", False),
        )
        return new, normalized(chat.get("updated_at", self._now))


def message(document: dict[str, Any], chat_id: str) -> Message:
    """Return a message of an export, with a new id, for the chat `chat_id`."""
    status, usage = document.get("status", "complete"), document.get("usage")
    return Message(
        row_id=0,
        id=ids.new("msg"),
        chat_id=chat_id,
        content=document["content"],
        sender=document["sender"],
        timestamp=normalized(document["timestamp"]),
        # A reply that was streaming during the export keeps the text that it had then.
        status="interrupted" if status == "streaming" else status,
        model=document.get("model"),
        client_id=document.get("client_id"),
        error=document.get("error"),
        reasoning=document.get("reasoning") or None,
        finish_reason=document.get("finish_reason"),
        usage=Usage(**usage) if usage else None,
    )
