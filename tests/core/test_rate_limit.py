"""Token buckets and failure counters, with the clock passed in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.rate_limit import FailureLog, RateLimiter
from core.times import MonotonicTime


def at(seconds: float) -> MonotonicTime:
    return MonotonicTime(seconds)


def test_a_bucket_is_refilled_whole_a_minute_after_its_first_use() -> None:
    limiter = RateLimiter()
    passed = [limiter.take("ada", 100, at(1000.25 + n / 10)).passed for n in range(101)]
    assert passed == [True] * 100 + [False]
    last = limiter.take("ada", 100, at(1060.0))
    assert (last.passed, last.remaining, last.seconds_left) == (False, 0, 0.25)
    assert last.retry_after == 1
    fresh = limiter.take("ada", 100, at(1060.25))
    assert (fresh.passed, fresh.remaining, fresh.seconds_left) == (True, 99, 60)


def test_full_buckets_are_forgotten() -> None:
    limiter = RateLimiter()
    for number in range(1000):
        limiter.take(f"caller {number}", 100, at(1000))
    limiter.take("another", 100, at(1060))
    assert len(limiter) == 1


@given(st.lists(st.floats(0, 500), min_size=1, max_size=400), st.integers(1, 20))
def test_no_minute_from_a_first_use_lets_more_pass(moments: list[float], limit: int) -> None:
    limiter = RateLimiter()
    moments.sort()
    passed = [moment for moment in moments if limiter.take("ada", limit, at(moment)).passed]
    begin = passed[0]
    used = 0
    for moment in passed:
        if moment >= begin + 60:
            begin, used = moment, 0
        used += 1
        assert used <= limit


def test_failures_block_within_their_period_only() -> None:
    log = FailureLog(limit=3, period=100)
    for moment in (0.0, 60.0, 99.0):
        assert log.blocked_for("ada", at(moment)) == 0
        log.add("ada", at(moment))
    assert log.blocked_for("ada", at(99)) == 1
    assert log.blocked_for("bob", at(99)) == 0
    assert log.blocked_for("ada", at(100)) == 0
    assert log.count("ada", at(100)) == 2
    log.add("ada", at(100))
    assert log.blocked_for("ada", at(100)) == 60
    log.clear("ada")
    assert log.blocked_for("ada", at(100)) == 0
    log.add("bob", at(500))
    assert len(log) == 1


def test_keys_are_cleared_by_a_condition() -> None:
    log = FailureLog(limit=1, period=100)
    for key in (("ada", "here"), ("ada", "there"), ("bob", "here")):
        log.add(key, at(0))
    log.clear_where(lambda key: key[0] == "ada")
    assert log.blocked_for(("ada", "there"), at(1)) == 0
    assert log.blocked_for(("bob", "here"), at(1)) == 99
