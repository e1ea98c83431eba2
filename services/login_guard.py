"""Limit failed logins without locking out the owner (contract, section 3).

Failures count per account and client address. A caller with a session of the account is counted
separately, so that other clients' failures can't block them.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from typing import NamedTuple

from core.errors import RateLimited
from core.metrics import Metrics
from core.rate_limit import FailureLog
from core.times import MonotonicClock

MAX_FAILURES = 10  # for one account from one client address
MAX_FAILURES_EVERYWHERE = 100  # for one account; above this its logins are slowed
PERIOD_SECONDS = 15 * 60
PACE_SECONDS = 2.0  # between two logins of an account under attack
_MAX_WAITING = 64  # per account


class Attempt(NamedTuple):
    """An attempt to use an account's password, from a client address or within a session."""

    account: str  # the key of the e-mail address, even if no account has it
    client_address: str
    session_id: str | None = None

    @property
    def source(self) -> tuple[str, str]:
        return self.account, self.session_id or f"from {self.client_address}"


class LoginGuard:
    """The failed logins of the last 15 minutes, in memory."""

    def __init__(
        self,
        metrics: Metrics,
        monotonic: MonotonicClock,
        pace_seconds: float = PACE_SECONDS,
        max_failures: int = MAX_FAILURES,
    ) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._pace_seconds = pace_seconds
        self._failures = FailureLog(max_failures, PERIOD_SECONDS)
        self._everywhere = FailureLog(max(MAX_FAILURES_EVERYWHERE, max_failures), PERIOD_SECONDS)
        self._queues: dict[str, _Queue] = {}

    def check(self, attempt: Attempt) -> None:
        """Raise `RateLimited` after 10 failures from the same source."""
        seconds = math.ceil(self._failures.blocked_for(attempt.source, self._monotonic()))
        if seconds:
            self._metrics.refused("logins")
            raise RateLimited(f"Too many failed logins. Try again in {seconds} seconds.", seconds)

    async def wait_turn(self, attempt: Attempt) -> None:
        """Wait while the account's logins are slowed; sources with the fewest failures go first.

        Raises `RateLimited` if the account's queue is full.
        """
        now = self._monotonic()
        if attempt.session_id is not None:
            return
        queue = self._queues.get(attempt.account)
        if queue is None:
            if not self._everywhere.blocked_for(attempt.account, now):
                return
            queue = self._queues[attempt.account] = _Queue()
            self._release_later(attempt.account)
            return
        failures = self._failures.count(attempt.source, now)
        await queue.wait(failures)

    def failed(self, attempt: Attempt) -> None:
        """Count a wrong password."""
        now = self._monotonic()
        self._failures.add(attempt.source, now)
        if attempt.session_id is None:
            self._everywhere.add(attempt.account, now)

    def is_blocked(self, attempt: Attempt) -> bool:
        """Return whether the next attempt from the same source will be refused."""
        return self._failures.blocked_for(attempt.source, self._monotonic()) > 0

    def succeeded(self, attempt: Attempt) -> None:
        """Clear the source's failures, and stop slowing the account's logins."""
        self._failures.clear(attempt.source)
        self._everywhere.clear(attempt.account)

    def clear(self, account: str) -> None:
        """Clear all failures of an account whose password was reset or which was recovered."""
        self._failures.clear_where(lambda source: source[0] == account)
        self._everywhere.clear(account)

    def _release_later(self, account: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._pace_seconds, self._release, account)

    def _release(self, account: str) -> None:
        while self._queues[account].release():
            if self._everywhere.blocked_for(account, self._monotonic()):
                self._release_later(account)
                return
        del self._queues[account]


class _Queue:
    """The queue of waiting logins of one account."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def wait(self, failures: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (failures, next(self._numbers), turn)
        heapq.heappush(self._waiting, entry)
        if len(self._waiting) > _MAX_WAITING:
            self._refuse_last()
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:  # which is limited
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def release(self) -> bool:
        """Release the next login; return whether one was waiting."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[-1]
            if not turn.done():  # the client may have disconnected
                turn.set_result(None)
                return True
        return False

    def _refuse_last(self) -> None:
        last = max(self._waiting)
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        if not last[-1].done():
            refusal = RateLimited("Many logins for this account are waiting.", _MAX_WAITING)
            last[-1].set_exception(refusal)
