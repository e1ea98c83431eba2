"""Who may send how much (contract, section 3). All doors of one user share one bucket."""

from __future__ import annotations

from core.errors import RateLimited
from core.metrics import Metrics
from core.rate_limit import Allowance, RateLimiter
from services.settings import Settings

SIGNALS_PER_MINUTE = 600  # `typing` and `read` frames


class Limits:
    """The buckets of all callers; they live in memory and are full again after a minute."""

    def __init__(self, settings: Settings, measures: Metrics) -> None:
        self._settings = settings
        self._metrics = measures
        self._requests = RateLimiter()
        self._signals = RateLimiter()

    def request(self, caller: str, now: float) -> Allowance | None:
        """Count a request or a `message` frame of a user id or client address.

        None where the admin has set no limit. A refusal is in the answer, not raised: its
        headers are wanted too.
        """
        limit = self._settings.admin()["rate_limit_per_minute"]
        if not limit:
            return None
        allowance = self._requests.take(caller, limit, now)
        if not allowance.passed:
            self._metrics.refused("requests")
        return allowance

    def signal(self, caller: str, now: float) -> None:
        """Count a `typing` or `read` frame. Raises `RateLimited`."""
        allowance = self._signals.take(caller, SIGNALS_PER_MINUTE, now)
        if not allowance.passed:
            self._metrics.refused("signals")
            raise too_many(allowance)


def too_many(allowance: Allowance) -> RateLimited:
    """The refusal of one who has nothing left."""
    return RateLimited(
        f"{allowance.limit} a minute are allowed. Try again in {allowance.retry_after} seconds.",
        allowance.retry_after,
    )
