"""Chats: create, update, delete and export them; typing and read signals."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVarTuple

from assistant.directory import Directory
from core import ids
from core.errors import NotFound
from core.markdown import closed, escaped
from core.records import Chat, ChatChange, ReadMark, User
from core.times import CalendarClock, rfc3339
from services import frames
from services.connections import ConnectionRegistry
from services.conversation import Conversation
from services.removal import Removal
from services.settings import Settings
from services.subscriptions import Subscription
from storage import chats as stored
from storage import messages
from storage.connection import Connection
from storage.database import Database

Arguments = TypeVarTuple("Arguments")

UNTITLED = "New Conversation"
EXPORT_FORMAT = "quillium-chat"
EXPORT_VERSION = 1


class Chats:
    def __init__(
        self,
        db: Database,
        connections: ConnectionRegistry,
        settings: Settings,
        directory: Directory,
        conversation: Conversation,
        removal: Removal,
        clock: CalendarClock,
    ) -> None:
        self._db = db
        self._connections = connections
        self._settings = settings
        self._directory = directory
        self._conversation = conversation
        self._removal = removal
        self._clock = clock

    async def create(
        self,
        user: User,
        title: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        client_id: str | None = None,
    ) -> stored.Added:
        """Create a chat; without a title, the opening words of its first message become it.

        The same `client_id` again returns the chat that was created before.
        """
        new = stored.NewChat(
            ids.new("chat"),
            title or UNTITLED,
            title is not None,
            model or self.default_model(user),
            self._now(),
            system_prompt or None,
            json.dumps(parameters or {}),
            client_id,
        )

        def publish(added: stored.Added) -> None:
            if added.change is not None:
                self._connections.publish(user.id, frames.chat(added.change))

        return await self._db.write(stored.add, user.row_id, new, on_commit=publish)

    def default_model(self, user: User) -> str:
        """Return the user's default model, else the admin's, else the server's."""
        chosen: str | None = self._settings.of_user(user)["default_model"]
        return chosen or self._directory.default(self._settings.admin()["default_model"])

    async def update(self, user: User, id: str, changes: Mapping[str, Any]) -> Chat:
        """Update the fields that a chat's owner can change. Raises `NotFound`."""
        columns = dict(changes)
        if "system_prompt" in columns:
            columns["system_prompt"] = columns["system_prompt"] or None
        if "parameters" in columns:
            columns["parameters"] = json.dumps(columns["parameters"])
        return await self._changed(user, stored.update, user.row_id, id, columns, self._now())

    async def delete(self, user: User, id: str) -> None:
        """Delete a chat with its messages; a running reply ends. Raises `NotFound`."""

        def deleted(deleted: stored.Deleted) -> None:
            self._conversation.forget(id)
            self._connections.publish(user.id, frames.chat(deleted.change))
            if deleted.hidden is not None:
                self._removal.add(deleted.hidden)
            self._removal.sweep()

        await self._db.write(stored.delete, user.row_id, id, on_commit=deleted)

    async def delete_all(self, user: User, ids: Sequence[str]) -> None:
        """Delete chats one after the other; skip those that are gone."""
        for id in ids:
            with contextlib.suppress(NotFound):
                await self.delete(user, id)

    # Signals: frames that clients send

    def typing(
        self, user: User, chat_id: str, is_typing: bool, sender: Subscription | None
    ) -> None:
        """Publish the typing state to the user's other sockets. Raises `NotFound`."""
        self._db.read(stored.check, user.row_id, chat_id)
        frame = frames.typing(chat_id, is_typing, self._now())
        self._connections.publish(user.id, frame, sender=sender)

    async def read(self, user: User, chat_id: str, message_id: str | None) -> None:
        """Store the user's read position and publish it to their sockets. Raises `NotFound`."""

        def noted(mark: ReadMark | None) -> None:
            if mark is not None:
                self._connections.publish(user.id, frames.read(mark))

        await self._db.write(
            stored.mark_read, user.row_id, chat_id, message_id, self._now(), on_commit=noted
        )

    # Export

    async def export(self, user: User, id: str) -> dict[str, Any]:
        """Return a whole chat, all versions included, in the format that `Imports` accepts.

        Its files are without content.

        Raises `NotFound`.
        """
        chat = self._db.read(stored.find, user.row_id, id)
        history = await self._db.read_in_pool(messages.everything, chat.row_id)
        files = dict.fromkeys(file for message in history for file in message.attachments)
        return {
            "format": EXPORT_FORMAT,
            "version": EXPORT_VERSION,
            "exported_at": self._now(),
            "chat": chat.public(),
            "files": [file.public() for file in files],
            "messages": [message.public() for message in history],
        }

    async def _changed(
        self,
        user: User,
        work: Callable[[Connection, *Arguments], ChatChange],
        *arguments: *Arguments,
    ) -> Chat:
        """Store a new or changed chat and publish its frame; return the chat."""
        change = await self._db.write(
            work,
            *arguments,
            on_commit=lambda change: self._connections.publish(user.id, frames.chat(change)),
        )
        assert change.chat is not None
        return change.chat

    def _now(self) -> str:
        return rfc3339(self._clock())


def _path(export: dict[str, Any]) -> list[dict[str, Any]]:
    by_id = {message["id"]: message for message in export["messages"]}
    path = []
    id = export["chat"]["leaf_id"]
    while id in by_id:
        path.append(by_id[id])
        id = by_id[id]["parent_id"]
    return path[::-1]


def markdown(export: dict[str, Any]) -> str:
    """Render an export as Markdown: the messages that lists show, without other versions."""
    senders = {"user": "You", "assistant": "Assistant"}
    parts = [f"# {escaped(export['chat']['title'])}"]
    for message in _path(export):
        model = f" ({message['model']})" if message["model"] else ""
        parts.append(f"**{senders[message['sender']]}**{model}, {message['timestamp']}")
        parts.append(closed(message["content"]))  # otherwise it would include the next message
        parts += [f"Attached: {escaped(file['name'])}" for file in message["attachments"]]
    return "\n\n".join(parts) + "\n"
