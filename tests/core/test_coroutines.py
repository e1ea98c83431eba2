"""A task that starts eagerly ends like any other."""

from __future__ import annotations

import asyncio
import sys

import pytest

from core import coroutines


async def test_it_runs_at_once_where_python_can_do_that() -> None:
    async def add(left: int, right: int) -> int:
        return left + right

    adding = coroutines.begin(add(1, 2))
    assert adding.done() == (sys.version_info >= (3, 12))
    assert await adding == 3


async def test_what_waits_goes_on_and_can_be_cancelled() -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    steps: list[str] = []

    async def wait() -> str:
        steps.append(await gate)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            steps.append("cancelled")
        return "end"

    waiting = coroutines.begin(wait())
    gate.set_result("open")
    while not steps:
        await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting == "end"
    assert steps == ["open", "cancelled"]


async def test_what_it_raises_is_in_the_task() -> None:
    async def fail() -> None:
        raise ValueError("no")

    failing = coroutines.begin(fail())
    with pytest.raises(ValueError, match="no"):
        await failing


async def test_what_is_done_lets_others_go_first() -> None:
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done.set_result(1)
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    assert await coroutines.within(10, done) == 1
    assert turns == [1]


async def test_a_time_limit_loses_no_cancellation() -> None:
    gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(coroutines.within(10, gate))
    await asyncio.sleep(0)
    gate.set_result(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_time_limit() -> None:
    with pytest.raises(TimeoutError):
        await coroutines.within(0.01, asyncio.get_running_loop().create_future())
