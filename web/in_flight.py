"""Requests and WebSockets in flight, which a graceful shutdown waits for."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class InFlight:
    """Counts the active `with in_flight:` blocks. `len()` is the count."""

    def __init__(self) -> None:
        self._count = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_draining = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> None:
        self._count += 1
        self._is_empty.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._is_empty.set()

    async def emptied(self) -> None:
        """Return once nothing is in flight."""
        await self._is_empty.wait()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is in flight, at most for this long. Ends all pauses."""
        self._is_draining.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.emptied()

    async def pause(self, seconds: float) -> None:
        """Sleep inside a request, but only until the server drains."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_draining.wait()
