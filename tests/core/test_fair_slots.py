"""Slots are served in turn by key."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import RateLimited
from core.fair_slots import FairSlots


async def started(*tasks: asyncio.Task[None]) -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_keys_take_turns() -> None:
    slots, order = FairSlots(1, 1), list[str]()

    async def work(key: str) -> None:
        async with slots.slot(key):
            order.append(key)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(key) for key in "aaaabbc"))
    assert order == list("aabcaba")


async def test_a_key_has_at_most_its_share() -> None:
    slots = FairSlots(3, 2)
    await slots.acquire("a")
    await slots.acquire("a")
    third = asyncio.ensure_future(slots.acquire("a"))
    await started(third)
    assert not third.done()
    await asyncio.wait_for(slots.acquire("b"), 1)  # although somebody waits
    slots.release("a")
    await asyncio.wait_for(third, 1)


async def test_who_is_cancelled_takes_no_slot() -> None:
    slots = FairSlots(1, 1)
    await slots.acquire("a")
    waiting, late = (asyncio.ensure_future(slots.acquire("b")) for _ in range(2))
    await started(waiting)
    waiting.cancel()
    slots.release("a")  # passes over who was cancelled
    await asyncio.wait_for(late, 1)
    last = asyncio.ensure_future(slots.acquire("c"))
    await started(last)
    slots.release("b")
    last.cancel()  # at the moment at which it was granted
    with pytest.raises(asyncio.CancelledError):
        await last
    await asyncio.wait_for(slots.acquire("d"), 1)


async def test_a_key_waits_for_a_few_only() -> None:
    slots = FairSlots(1, 1, waiting_each=1)
    await slots.acquire("a")
    waiting = asyncio.ensure_future(slots.acquire("a"))
    await started(waiting)
    with pytest.raises(RateLimited):
        await slots.acquire("a")
    other = asyncio.ensure_future(slots.acquire("b"))
    slots.release("a")
    await waiting
    slots.release("a")
    await asyncio.wait_for(other, 1)


async def test_who_left_keeps_nobody_out() -> None:
    slots = FairSlots(1, 1, waiting_each=1)
    await slots.acquire("a")
    for _ in range(3):
        leaving = asyncio.ensure_future(slots.acquire("a"))
        await started(leaving)
        leaving.cancel()
        await started(leaving)
    last = asyncio.ensure_future(slots.acquire("a"))
    await started(last)
    slots.release("a")
    await asyncio.wait_for(last, 1)
