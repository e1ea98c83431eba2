"""Rebuild the search index in the background after a migration has changed its rules."""

from __future__ import annotations

import asyncio
import logging

from core.errors import StorageUnavailable
from storage import search_index
from storage.database import Database

_PAUSE_SECONDS = 0.02  # between two slices, so that other writes get their turn
_RETRY_SECONDS = 10.0
_LOGGED_SHARE = 0.1

log = logging.getLogger("quillium")


class Indexing:
    """A background task that ends when all messages are indexed."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task if the index is incomplete."""
        if not self._db.read(search_index.progress).is_complete:
            self.task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stop the task; the next start resumes it."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])

    async def _run(self) -> None:
        log.info("rebuilding the search index in the background, newest messages first")
        logged = 0.0
        while True:
            try:
                share, is_complete = await self._db.write(search_index.extend)
            except StorageUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if is_complete:
                log.info("the search index is complete")
                return
            if share >= logged + _LOGGED_SHARE:
                log.info("search index: %.0f %%", share * 100)
                logged = share
            await asyncio.sleep(_PAUSE_SECONDS)
