"""What begins at once ends as a task would."""

from __future__ import annotations

import asyncio

import pytest

from core import coroutines


async def test_what_never_waits_is_done_at_once() -> None:
    async def add(left: int, right: int) -> int:
        return left + right

    async def fail() -> None:
        raise ValueError("no")

    async def give_up() -> None:
        raise asyncio.CancelledError

    sum = coroutines.begin(add(1, 2))
    assert sum.done()
    assert await sum == 3
    with pytest.raises(ValueError, match="no"):
        coroutines.begin(fail()).result()
    assert coroutines.begin(give_up()).cancelled()


async def test_what_waits_goes_on_in_a_task() -> None:
    steps: list[str] = []
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def wait() -> str:
        steps.append("begun")
        await asyncio.sleep(0)
        steps.append("slept")
        steps.append(await gate)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            steps.append("cancelled")
        return "end"

    waiting = coroutines.begin(wait())
    assert steps == ["begun"]
    for _ in range(3):
        await asyncio.sleep(0)
    assert steps == ["begun", "slept"]
    gate.set_result("open")
    for _ in range(2):
        await asyncio.sleep(0)
    waiting.cancel()
    assert await waiting == "end"
    assert steps == ["begun", "slept", "open", "cancelled"]


async def test_what_it_waits_for_may_fail() -> None:
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await gate

    waiting = coroutines.begin(wait())
    gate.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await waiting
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait_for_ever() -> None:
        await never

    cut = coroutines.begin(wait_for_ever())
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert never.cancelled()
