"""Token buckets and failure counters (contract, section 3), in monotonic time.

A bucket starts full and each request takes one token. A minute after the first request, the whole
bucket is refilled: at most `limit` requests pass in each such minute. Full buckets are deleted,
so memory is bounded by the callers of the last minute.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.times import MonotonicTime


class Allowance(NamedTuple):
    """A caller's remaining tokens; the bucket is refilled in `seconds_left`."""

    passed: bool
    limit: int
    remaining: int
    seconds_left: float

    @property
    def retry_after(self) -> int:
        """Return the whole seconds until the refill, at least 1."""
        return max(1, math.ceil(self.seconds_left))


class FailureLog:
    """Failures by key. `limit` of them within `period` seconds block the key."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit = limit
        self._period = period
        # Ordered by last failure, so expired entries are at the front.
        self._failures: OrderedDict[Hashable, list[MonotonicTime]] = OrderedDict()

    def blocked_for(self, key: Hashable, now: MonotonicTime) -> float:
        """Return the seconds until the key may try again; 0 if it is not blocked."""
        times = self._failures.get(key, [])
        if len(times) < self._limit:
            return 0.0
        return max(0.0, times[-self._limit] + self._period - now)

    def count(self, key: Hashable, now: MonotonicTime) -> int:
        """Return the number of failures within the period, up to the limit."""
        return sum(now < time + self._period for time in self._failures.get(key, ()))

    def add(self, key: Hashable, now: MonotonicTime) -> None:
        """Count a failure, and delete the keys whose failures have all expired."""
        times = self._failures.setdefault(key, [])
        times.append(now)
        del times[: -self._limit]
        self._failures.move_to_end(key)
        while now >= next(iter(self._failures.values()))[-1] + self._period:
            self._failures.popitem(last=False)

    def clear(self, key: Hashable) -> None:
        self._failures.pop(key, None)

    def clear_where(self, is_meant: Callable[[Any], bool]) -> None:
        """Delete every key for which `is_meant` returns true."""
        for key in [key for key in self._failures if is_meant(key)]:
            del self._failures[key]

    def __len__(self) -> int:
        return len(self._failures)


@dataclass
class _Bucket:
    used: int
    first_use: MonotonicTime


class RateLimiter:
    """Token buckets by caller."""

    def __init__(self, period: float = 60.0) -> None:
        self._period = period
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()  # by first use, oldest first

    def take(self, caller: str, limit: int, now: MonotonicTime) -> Allowance:
        """Take one token. A rejected request takes none, and a new `limit` applies at once."""
        self._forget_full_ones(now)
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(0, now)
        passed = bucket.used < limit
        if passed:
            bucket.used += 1
        return Allowance(
            passed=passed,
            limit=limit,
            remaining=max(0, limit - bucket.used),
            seconds_left=bucket.first_use + self._period - now,
        )

    def __len__(self) -> int:
        return len(self._buckets)

    def _forget_full_ones(self, now: MonotonicTime) -> None:
        while self._buckets:
            oldest = next(iter(self._buckets))
            if now < self._buckets[oldest].first_use + self._period:
                return
            del self._buckets[oldest]
