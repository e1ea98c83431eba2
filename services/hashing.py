"""Hash passwords on two threads, with a queue that is fair between client addresses.

bcrypt takes about 0.25 s of a core. It never blocks the event loop, and a client that sends many
passwords delays only its own logins.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core.errors import RateLimited
from core.metrics import Metrics

T = TypeVar("T")

_THREADS = 2
_MAX_WAITING = 64
_HASH_SECONDS = 0.25  # at cost 12


class HashingQueue:
    """Runs functions that hash a password, round-robin by client address."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="quillium-bcrypt")
        self._running = 0
        # Waiting turns by client address; the first address is next.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(
        self,
        address: str,
        function: Callable[..., T],
        *arguments: Any,
        before: Callable[[], None] | None = None,
    ) -> T:
        """Run the function on a thread; first call `before` on the event loop.

        Raises `RateLimited` if the queue is full and this address has the most calls waiting.
        """
        await self._turn(address)
        try:
            if before is not None:
                before()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, function, *arguments)
        finally:
            self._running -= 1
            self._wake_next()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, address: str) -> None:
        if self._running < _THREADS:
            self._running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        if sum(map(len, self._waiting.values())) > _MAX_WAITING:
            self._refuse_one()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(address, turn)
            elif turn.exception() is None:
                self._running -= 1  # cancelled just after its turn was granted
                self._wake_next()
            raise

    def _forget(self, address: str, turn: asyncio.Future[None]) -> None:
        """Give up a place in the queue, which is limited."""
        turns = self._waiting.get(address, deque())
        if turn in turns:
            turns.remove(turn)
        if not turns:
            self._waiting.pop(address, None)

    def _wake_next(self) -> None:
        while self._waiting and self._running < _THREADS:
            address, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[address] = turns  # to the back of the queue
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def _refuse_one(self) -> None:
        """Reject the newest call of the address that has the most calls waiting."""
        address = max(self._waiting, key=lambda address: len(self._waiting[address]))
        turn = self._waiting[address].pop()
        self._metrics.refused("logins")
        if not turn.done():
            wait = math.ceil(_MAX_WAITING * _HASH_SECONDS / _THREADS)
            turn.set_exception(RateLimited("Too many passwords are being checked.", wait))
