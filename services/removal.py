"""Remove hidden chats and given-up files in the background, in slices.

Hidden chats are large deletions and imports that did not end; files are given up when what they
belong to is deleted, or when no message has them for a day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from core import fairness
from core.errors import StorageUnavailable
from storage import hidden_chats, uploads
from storage.database import Database

_RETRY_SECONDS = 10.0
_SWEEP_SECONDS = 60.0
_SWEEPS_AN_HOUR = 60


class Removal:
    """A background task that runs while there is something to remove."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._chats: deque[int] = deque()  # row ids
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sweeping: asyncio.Future[None] | None = None
        self._sweeps = 0
        self._is_closed = False

    def start(self) -> None:
        """Remove what the last process left. Call this before the first request."""
        for chat in self._db.read(hidden_chats.everything):
            self.add(chat)
        self._sweep_regularly()

    def add(self, chat: int) -> None:
        """Remove the hidden chat with this row id."""
        self._chats.append(chat)
        self._begin()

    def sweep(self) -> None:
        """Remove the files that were given up; those that can't be read now, at the next sweep."""
        with suppress(StorageUnavailable):
            if self._db.read(uploads.are_given_up):
                self._begin()

    def _begin(self) -> None:
        if self._task is None and not self._is_closed:
            self._task = asyncio.ensure_future(self._run())

    async def finished(self) -> None:
        """Wait until nothing is left to remove."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Stop the task; the next start resumes it."""
        self._is_closed = True
        if self._timer is not None and self._sweeping is not None:
            self._timer.cancel()
            await asyncio.wait([self._sweeping])
        if self._task is not None:
            self._task.cancel()
            await self.finished()

    async def _run(self) -> None:
        fairness.charge(fairness.SERVER)  # not whoever deleted the first chat
        while True:
            try:
                if self._chats:
                    if await self._db.write(hidden_chats.remove_slice, self._chats[0]):
                        self._chats.popleft()
                elif self._db.read(uploads.are_given_up):
                    await self._db.write(uploads.remove_slice)
                else:
                    break
            except StorageUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
        self._task = None

    def _sweep_regularly(self) -> None:
        """Remove what accounts left that were deleted, and once an hour let files age."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep_regularly)
        self._sweeps += 1
        is_hour = self._sweeps % _SWEEPS_AN_HOUR == 0
        self._sweeping = asyncio.ensure_future(self._sweep_files(is_hour=is_hour))

    async def _sweep_files(self, *, is_hour: bool) -> None:
        fairness.charge(fairness.SERVER)
        if is_hour:
            with suppress(StorageUnavailable):
                await self._db.write(uploads.age)
        self.sweep()
