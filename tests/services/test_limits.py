"""Rate limits: separate buckets for requests and signals; a new limit applies at once."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import RateLimited
from core.metrics import Metrics
from core.times import CalendarTime, MonotonicTime
from services.limits import SIGNALS_PER_MINUTE, Limits


class Admin:
    """Stands for the settings."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def admin(self) -> dict[str, Any]:
        return {"rate_limit_per_minute": self.limit}


class Counting(Metrics):
    def __init__(self) -> None:
        self.buckets: list[str] = []

    def refused(self, bucket: str) -> None:
        self.buckets.append(bucket)


def limits(admin: Admin, metrics: Metrics | None = None, now: float = 100.0) -> Limits:
    settings: Any = admin
    return Limits(
        settings,
        metrics or Metrics(),
        lambda: CalendarTime(1_700_000_000.5),
        lambda: MonotonicTime(now),
    )


def test_a_caller_has_the_admins_limit() -> None:
    metrics = Counting()
    made = limits(Admin(2), metrics)
    allowances = [made.request("ada") for _ in range(3)]
    assert [a and a.passed for a in allowances] == [True, True, False]
    assert [a and a.remaining for a in allowances] == [1, 0, 0]
    assert metrics.buckets == ["requests"]
    other = made.request("bob")
    assert other is not None
    assert other.passed


def test_zero_turns_the_limit_off() -> None:
    assert limits(Admin(0)).request("ada") is None


def test_a_new_limit_counts_at_once() -> None:
    admin = Admin(1)
    made = limits(admin)
    made.request("ada")
    admin.limit = 2
    allowance = made.request("ada")
    assert allowance is not None
    assert allowance.passed


def test_the_reset_is_an_epoch_second_rounded_up() -> None:
    made = limits(Admin(2))
    allowance = made.request("ada")
    assert allowance is not None
    assert made.reset_at(allowance) == 1_700_000_061
    assert allowance.retry_after == 60


def test_signals_have_a_bucket_of_their_own() -> None:
    metrics = Counting()
    made = limits(Admin(1), metrics)
    for _ in range(SIGNALS_PER_MINUTE):
        made.signal("ada")
    with pytest.raises(RateLimited) as refused:
        made.signal("ada")
    assert refused.value.retry_after == 60
    assert metrics.buckets == ["signals"]
    allowance = made.request("ada")
    assert allowance is not None
    assert allowance.passed
