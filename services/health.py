"""Whether the server works: whether the database can be written (contract, section 9)."""

from __future__ import annotations

import asyncio

from core.times import MonotonicClock, MonotonicTime
from storage.database import Database

VALID_SECONDS = 1.0  # of a verdict; who asks more often causes no write


class Health:
    """Tests the database by writing, at most once a second, whoever asks and however often."""

    def __init__(self, db: Database, monotonic: MonotonicClock) -> None:
        self._db = db
        self._monotonic = monotonic
        self._checked_at: MonotonicTime | None = None
        self._verdict: asyncio.Future[bool] | None = None  # done, or shared by all who wait

    async def is_writable(self) -> bool:
        """Return whether writes succeed, as of at most a second ago."""
        now = self._monotonic()
        is_checking = self._verdict is not None and not self._verdict.done()
        is_valid = self._checked_at is not None and now < self._checked_at + VALID_SECONDS
        if self._verdict is None or not (is_checking or is_valid):
            self._checked_at = now
            self._verdict = asyncio.ensure_future(self._db.is_writable())
        return await asyncio.shield(self._verdict)  # one who leaves must not end it for others
