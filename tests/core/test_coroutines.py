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
