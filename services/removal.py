"""Remove hidden chats in the background: large deletions, and imports that did not end."""

from __future__ import annotations

import asyncio
from collections import deque

from core import fairness
from core.errors import StorageUnavailable
from storage import hidden_chats
from storage.database import Database

_RETRY_SECONDS = 10.0


class Removal:
    """A background task that runs while there are chats to remove."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._chats: deque[int] = deque()  # row ids
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def start(self) -> None:
        """Remove what the last process left. Call this before the first request."""
        for chat in self._db.read(hidden_chats.everything):
            self.add(chat)

    def add(self, chat: int) -> None:
        """Remove the hidden chat with this row id."""
        self._chats.append(chat)
        if self._task is None and not self._is_closed:
            self._task = asyncio.ensure_future(self._run())

    async def finished(self) -> None:
        """Wait until nothing is left to remove."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Stop the task; the next start resumes it."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await self.finished()

    async def _run(self) -> None:
        fairness.charge(fairness.SERVER)  # not whoever deleted the first chat
        while self._chats:
            try:
                if await self._db.write(hidden_chats.remove_slice, self._chats[0]):
                    self._chats.popleft()
            except StorageUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
        self._task = None
