"""Versions: choose which one a chat shows, and delete messages (contract, section 6)."""

from __future__ import annotations

from core.errors import NotFound
from core.records import Chat, ChatChange, User
from services import frames
from services.connections import ConnectionRegistry
from services.removal import Removal
from storage import versions
from storage.database import Database


class Versions:
    """Publishes a `chat` frame for each change, whose `leaf_id` has other devices list again."""

    def __init__(self, db: Database, connections: ConnectionRegistry, removal: Removal) -> None:
        self._db = db
        self._connections = connections
        self._removal = removal

    async def select(self, user: User, chat_id: str, id: str) -> Chat:
        """Show a version with its newest continuation; return the chat.

        Raises `NotFound`, and `Conflict` while a reply is being written.
        """
        change = await self._db.write(
            versions.select,
            user.row_id,
            chat_id,
            id,
            on_commit=lambda change: self._publish(user, change),
        )
        assert change.chat is not None
        return change.chat

    async def delete(self, user: User, chat_id: str, id: str) -> None:
        """Delete a message and all that follows it, in slices, so that other writes don't wait.

        The first slice takes it off the path. Raises `NotFound`, and `Conflict` while a reply is
        being written.
        """
        rows = await self._db.read_in_pool(versions.below, user.row_id, chat_id, id)
        while rows:
            removed = await self._db.write(
                versions.remove,
                user.row_id,
                chat_id,
                rows,
                on_commit=lambda removed: self._publish(user, removed.change),
            )
            rows = rows[removed.done :]
            if not rows:
                try:  # a message may have been stored below it meanwhile
                    rows = await self._db.read_in_pool(versions.below, user.row_id, chat_id, id)
                except NotFound:
                    self._removal.sweep()  # files that no other message has
                    return

    def _publish(self, user: User, change: ChatChange) -> None:
        self._connections.publish(user.id, frames.chat(change))
