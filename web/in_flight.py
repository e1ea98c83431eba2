"""Requests and WebSockets in flight: what a server that shuts down waits for."""

from __future__ import annotations

import asyncio


class InFlight:
    """Counts what runs inside `with in_flight:`. `len()` is the count."""

    def __init__(self) -> None:
        self._count = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()

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
