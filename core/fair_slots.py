"""Slots for expensive work, served in turn by key (docs/design.md, "Fairness")."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from core.errors import RateLimited


class FairSlots:
    """At most `total` holders at once, of which each key has at most `each`.

    Waiting keys take turns: one that waits for a hundred slots delays another key's first one by
    at most one slot. `waiting_each` limits how many a key may wait for. Use it on the event loop.
    """

    def __init__(self, total: int, each: int, waiting_each: int | None = None) -> None:
        self._free = total
        self._each = each
        self._waiting_each = waiting_each
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def acquire(self, key: Hashable) -> None:
        """Wait for a slot; the caller releases it. Raises `RateLimited` if too many wait."""
        # Whoever waits while a slot is free has as many as allowed.
        if self._free and self._held[key] < self._each:
            self._take(key)
            return
        waiting = self._waiting.get(key, ())
        if self._waiting_each is not None and len(waiting) >= self._waiting_each:
            raise RateLimited("Too many requests of this account are waiting.", 1)
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._forget(key, granted)
            else:  # granted at the same moment
                self.release(key)
            raise

    def release(self, key: Hashable) -> None:
        """Give a slot back, and to the next key that waits."""
        self._free += 1
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        for next_key, futures in list(self._waiting.items()):
            while futures and futures[0].done():  # cancelled
                futures.popleft()
            if not futures:
                del self._waiting[next_key]
            elif self._held[next_key] < self._each:
                self._take(next_key)
                futures.popleft().set_result(None)
                self._waiting.move_to_end(next_key)
                return

    @asynccontextmanager
    async def slot(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a slot."""
        await self.acquire(key)
        try:
            yield
        finally:
            self.release(key)

    def _forget(self, key: Hashable, granted: asyncio.Future[None]) -> None:
        """Give up a place among those that wait: who has left must not keep others out."""
        futures = self._waiting.get(key, deque())
        if granted in futures:
            futures.remove(granted)
        if not futures:
            self._waiting.pop(key, None)

    def _take(self, key: Hashable) -> None:
        self._free -= 1
        self._held[key] += 1
