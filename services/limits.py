"""Rate limits (contract, section 3). REST and sockets of one user share one bucket."""

from __future__ import annotations

import math

from core.errors import RateLimited
from core.metrics import Metrics
from core.rate_limit import Allowance, RateLimiter
from core.times import CalendarClock, MonotonicClock
from services.settings import Settings

SIGNALS_PER_MINUTE = 600  # `typing` and `read` frames


class Limits:
    """The token buckets of all callers, in memory. An empty bucket refills within a minute."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        clock: CalendarClock,
        monotonic: MonotonicClock,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._requests = RateLimiter()
        self._signals = RateLimiter()

    def request(self, caller: str) -> Allowance | None:
        """Count a request or a `message` frame against a user id or client address.

        Return None if the admin has set no limit. A refusal is returned, not raised, because its
        headers are sent too.
        """
        limit = self._settings.admin()["rate_limit_per_minute"]
        if not limit:
            return None
        allowance = self._requests.take(caller, limit, self._monotonic())
        if not allowance.passed:
            self._metrics.refused("requests")
        return allowance

    def signal(self, caller: str) -> None:
        """Count a `typing` or `read` frame. Raises `RateLimited`."""
        allowance = self._signals.take(caller, SIGNALS_PER_MINUTE, self._monotonic())
        if not allowance.passed:
            self._metrics.refused("signals")
            raise too_many(allowance)

    def reset_at(self, allowance: Allowance) -> int:
        """Return the epoch second of the refill, rounded up, for `X-RateLimit-Reset`."""
        return math.ceil(self._clock() + allowance.seconds_left)


def too_many(allowance: Allowance) -> RateLimited:
    """Return the error for a caller with no tokens left."""
    return RateLimited(
        f"{allowance.limit} a minute are allowed. Try again in {allowance.retry_after} seconds.",
        allowance.retry_after,
    )
