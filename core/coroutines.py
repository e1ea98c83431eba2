"""Tasks that start at once where Python can do that, which saves a round of the event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def begin(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Return a task for the coroutine. From Python 3.12 on it has run already until it first waits.

    Needs a running loop.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task(coroutine)
