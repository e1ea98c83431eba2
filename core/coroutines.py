"""Eager tasks, where Python supports them, and time limits that lose no cancellation."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def begin(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task for the coroutine. From Python 3.12 on it runs at once until its first `await`.

    Requires a running event loop.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task(coroutine)


async def within(seconds: float, awaited: Awaitable[T]) -> T:
    """Await a future for at most so long. Others get a turn first, even if it is done.

    Without that turn, data that arrives faster than it is read would keep the event loop. Unlike
    `asyncio.wait_for` of Python 3.11, it loses no cancellation. Raises `TimeoutError`.
    """
    async with asyncio.timeout(seconds):
        if isinstance(awaited, asyncio.Future) and awaited.done():
            await asyncio.sleep(0)
        return await awaited
