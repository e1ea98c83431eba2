"""The token bucket of contract section 3.

A bucket is full, each request takes one token, and a minute after the first request that found it
full it is filled whole again: in each such minute exactly `limit` requests pass. A bucket that is
full again is forgotten, so memory is bounded by the callers of the last minute.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple


class Allowance(NamedTuple):
    """What a caller has left. `reset` is the epoch second of the refill, rounded up."""

    passed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int


class FailureLog:
    """Failures by name; the last `most` within `period` seconds block the name (section 3)."""

    def __init__(self, most: int, period: float) -> None:
        self._most = most
        self._period = period
        self._failures: OrderedDict[str, list[float]] = OrderedDict()  # by last failure

    def blocked_for(self, name: str, now: float) -> float:
        """Seconds until the name may try again; 0 if it may now."""
        times = self._failures.get(name, [])
        if len(times) < self._most:
            return 0.0
        return max(0.0, min(times[-self._most] + self._period - now, self._period))

    def note(self, name: str, now: float) -> None:
        times = self._failures.setdefault(name, [])
        times.append(now)
        del times[: -self._most]
        self._failures.move_to_end(name)
        while now >= next(iter(self._failures.values()))[-1] + self._period:
            self._failures.popitem(last=False)

    def clear(self, name: str) -> None:
        self._failures.pop(name, None)

    def __len__(self) -> int:
        return len(self._failures)


@dataclass
class _Bucket:
    used: int
    first_use: float


class RateLimiter:
    """Buckets by caller. Times are epoch seconds and are passed in."""

    def __init__(self, period: float = 60.0) -> None:
        self._period = period
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()  # by first use, oldest first

    def take(self, caller: str, limit: int, now: float) -> Allowance:
        """Take one token. A refused request takes none, and a new `limit` counts at once."""
        bucket = self._bucket(caller, now)
        passed = bucket.used < limit
        if passed:
            bucket.used += 1
        return self._allowance(bucket, passed, limit, now)

    def __len__(self) -> int:
        return len(self._buckets)

    def _bucket(self, caller: str, now: float) -> _Bucket:
        self._forget_full_ones(now)
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(0, now)
        elif now < bucket.first_use:  # the clock stepped back: never wait longer than a period
            bucket.first_use = now
        elif now >= bucket.first_use + self._period:
            # Still here because one before it stepped back in time: it is full again all the same.
            bucket.used, bucket.first_use = 0, now
            self._buckets.move_to_end(caller)
        return bucket

    def _forget_full_ones(self, now: float) -> None:
        while self._buckets:
            oldest = next(iter(self._buckets))
            if now < self._buckets[oldest].first_use + self._period:
                return
            del self._buckets[oldest]

    def _allowance(self, bucket: _Bucket, passed: bool, limit: int, now: float) -> Allowance:
        refill = bucket.first_use + self._period
        return Allowance(
            passed=passed,
            limit=limit,
            remaining=max(0, limit - bucket.used),
            reset=math.ceil(refill),
            retry_after=max(1, math.ceil(refill - now)),
        )
