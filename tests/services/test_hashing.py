"""The bcrypt queue: two at a time, fair between client addresses, bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.errors import RateLimited
from core.metrics import Metrics
from services import hashing
from services.hashing import HashingQueue


class Gate:
    """Work that waits until it is opened, and notes the order in which it began."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self._open = threading.Event()

    def work(self, name: str) -> str:
        self.order.append(name)
        assert self._open.wait(20)
        return name

    def open(self) -> None:
        self._open.set()


@asynccontextmanager
async def queue_of_two_busy_threads() -> AsyncIterator[tuple[HashingQueue, Gate]]:
    queue, gate = HashingQueue(Metrics()), Gate()
    busy = [asyncio.ensure_future(queue.run("busy", gate.work, f"busy {n}")) for n in range(2)]
    await asyncio.sleep(0)
    try:
        yield queue, gate
    finally:
        gate.open()
        await asyncio.gather(*busy)
        queue.close()


async def test_addresses_take_turns() -> None:
    async with queue_of_two_busy_threads() as (queue, gate):
        many = [asyncio.ensure_future(queue.run("many", gate.work, f"many {n}")) for n in range(10)]
        await asyncio.sleep(0)
        single = asyncio.ensure_future(queue.run("single", gate.work, "single"))
        await asyncio.sleep(0)
        gate.open()
        assert await single == "single"
        await asyncio.gather(*many)
    waited = [name for name in gate.order if not name.startswith("busy")]
    assert waited.index("single") <= 2  # not behind the ten


async def test_the_address_with_the_most_waiting_is_refused() -> None:
    async with queue_of_two_busy_threads() as (queue, gate):
        single = asyncio.ensure_future(queue.run("single", gate.work, "single"))
        many = [asyncio.ensure_future(queue.run("many", gate.work, "many")) for _ in range(70)]
        await asyncio.sleep(0)
        gate.open()
        assert await single == "single"
        results = await asyncio.gather(*many, return_exceptions=True)
    refused = [result for result in results if isinstance(result, RateLimited)]
    assert len(refused) == 7  # 64 may wait, the single one among them
    assert refused[0].retry_after == 8


async def test_what_fails_and_what_is_cancelled_makes_way() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async with queue_of_two_busy_threads() as (queue, gate):
        cancelled = asyncio.ensure_future(queue.run("a", gate.work, "cancelled"))
        failing = asyncio.ensure_future(queue.run("a", fail))
        after = asyncio.ensure_future(queue.run("a", gate.work, "after"))
        await asyncio.sleep(0)
        cancelled.cancel()
        gate.open()
        with pytest.raises(ZeroDivisionError):
            await failing
        assert await after == "after"
    assert "cancelled" not in gate.order


async def test_before_runs_on_the_loop_when_the_turn_has_come() -> None:
    queue, threads = HashingQueue(Metrics()), []
    await queue.run("a", lambda: None, before=lambda: threads.append(threading.current_thread()))
    assert threads == [threading.main_thread()]
    queue.close()


async def test_who_left_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_MAX_WAITING", 2)
    async with queue_of_two_busy_threads() as (queue, gate):
        for _ in range(5):
            leaving = asyncio.ensure_future(queue.run("a", gate.work, "leaving"))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        staying = [asyncio.ensure_future(queue.run("a", gate.work, "staying")) for _ in range(2)]
        await asyncio.sleep(0)
        gate.open()
        assert await asyncio.gather(*staying) == ["staying"] * 2
