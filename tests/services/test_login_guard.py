"""Login throttling per client address, without locking out the account's owner."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import RateLimited
from core.metrics import Metrics
from core.times import MonotonicTime
from services import login_guard
from services.login_guard import Attempt, LoginGuard

HERE = Attempt("ada", "10.0.0.1")
ELSEWHERE = Attempt("ada", "10.0.0.2")
OWNER = Attempt("ada", "10.0.0.1", "sess_1")


class Time:
    now = 1000.0

    def __call__(self) -> MonotonicTime:
        return MonotonicTime(self.now)


def guard(time: Time, pace_seconds: float = 60.0) -> LoginGuard:
    return LoginGuard(Metrics(), time, pace_seconds)


def fail(made: LoginGuard, attempt: Attempt, times: int) -> None:
    for _ in range(times):
        made.failed(attempt)


def test_ten_failures_block_their_source_for_15_minutes() -> None:
    time = Time()
    made = guard(time)
    fail(made, HERE, 9)
    made.check(HERE)
    fail(made, HERE, 1)
    with pytest.raises(RateLimited) as refused:
        made.check(HERE)
    assert refused.value.retry_after == 900
    made.check(ELSEWHERE)
    made.check(Attempt("bob", "10.0.0.1"))
    time.now += 900
    made.check(HERE)


def test_the_owner_is_never_blocked_by_others() -> None:
    made = guard(Time())
    fail(made, HERE, 10)
    made.check(OWNER)  # has a session, though from the same address
    fail(made, OWNER, 10)
    with pytest.raises(RateLimited):
        made.check(OWNER)


@pytest.mark.parametrize("how", ["success", "recovery"])
def test_a_success_and_a_recovery_clear_the_count(how: str) -> None:
    made = guard(Time())
    fail(made, HERE, 10)
    fail(made, OWNER, 10)
    if how == "success":
        made.succeeded(HERE)
        made.check(HERE)
    else:
        made.clear("ada")
        made.check(HERE)
        made.check(OWNER)


def attacked(made: LoginGuard) -> None:
    for number in range(login_guard.MAX_FAILURES_EVERYWHERE):
        made.failed(Attempt("ada", f"10.1.0.{number}"))


async def test_an_attacked_account_is_slowed_and_never_stopped() -> None:
    made = guard(Time(), pace_seconds=0.001)
    attacked(made)
    made.check(ELSEWHERE)  # no single source is blocked
    await made.wait_turn(ELSEWHERE)  # the first one passes at once
    order: list[str] = []

    async def attempt(name: str, source: Attempt) -> None:
        await made.wait_turn(source)
        order.append(name)

    guesser = Attempt("ada", "10.1.0.1")  # has failed before
    owner = Attempt("ada", "10.9.9.9")
    await asyncio.gather(attempt("guesser", guesser), attempt("owner", owner))
    assert order == ["owner", "guesser"]


async def test_other_accounts_and_sessions_do_not_wait() -> None:
    made = guard(Time())
    attacked(made)
    await made.wait_turn(HERE)
    await made.wait_turn(Attempt("bob", "10.0.0.1"))
    await made.wait_turn(OWNER)


async def test_when_too_many_wait_the_worst_is_refused() -> None:
    made = guard(Time())
    attacked(made)
    await made.wait_turn(HERE)
    waiting = [
        asyncio.ensure_future(made.wait_turn(Attempt("ada", f"10.2.0.{n}"))) for n in range(64)
    ]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await made.wait_turn(Attempt("ada", "10.1.0.1"))  # it has failed before, they have not
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_left_keeps_nobody_out() -> None:
    made = guard(Time())
    attacked(made)
    await made.wait_turn(HERE)
    for number in range(100):
        leaving = asyncio.ensure_future(made.wait_turn(Attempt("ada", f"10.2.0.{number}")))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
    waiting = asyncio.ensure_future(made.wait_turn(Attempt("ada", "10.1.0.1")))
    await asyncio.sleep(0)
    assert not waiting.done()  # neither refused nor served yet
    waiting.cancel()
