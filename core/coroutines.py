"""Coroutines that begin at once. One that never has to wait needs no round of the event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


def begin(coroutine: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Run it until it first waits; what is left goes on in a task. Needs a running loop.

    What it raises is in the future. Before Python 3.12, which has the like of it, nothing in it
    may ask for the task that it is in.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    done: asyncio.Future[T] = loop.create_future()
    try:
        awaited = coroutine.send(None)
    except StopIteration as end:
        done.set_result(end.value)
    except asyncio.CancelledError:
        done.cancel()
    except Exception as error:
        done.set_exception(error)
    else:
        return loop.create_task(_Begun(coroutine, awaited))
    return done


class _Begun(Coroutine[Any, Any, T]):
    """A coroutine that has yielded already what it waits for: None to a task that only yields."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited
        self._is_told = False  # whether the task knows what it waits for

    def send(self, value: Any) -> Any:
        if self._is_told:
            return self._coroutine.send(value)
        self._is_told = True
        return self._awaited

    def throw(self, *raised: Any) -> Any:
        if not self._is_told:  # cancelled before its task had a turn
            self._is_told = True
            if self._awaited is not None:
                self._awaited.cancel()
        return self._coroutine.throw(*raised)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, T]:
        raise NotImplementedError  # a task alone drives it
