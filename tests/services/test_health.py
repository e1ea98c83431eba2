"""The verdict about the database: remembered for a second, and shared by all who ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import Client, Clock


async def test_it_is_written_once_a_second(anyone: Client, rooms: Any, clock: Clock) -> None:
    before = rooms.db.statistics().writes
    for _ in range(2):
        answers = await asyncio.gather(*(anyone("GET /health") for _ in range(10)))
        assert {answer.body["status"] for answer in answers} == {"ok"}
    assert rooms.db.statistics().writes == before + 1
    clock.advance(1)
    await anyone("GET /health")
    assert rooms.db.statistics().writes == before + 2


async def test_a_failure_is_noticed_and_ends(
    rooms: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await rooms.health.is_writable()

    async def fails() -> bool:
        return False

    with monkeypatch.context() as broken:
        broken.setattr(rooms.db, "is_writable", fails)
        assert await rooms.health.is_writable()
        clock.advance(1)
        assert not await rooms.health.is_writable()
    clock.advance(1)
    assert await rooms.health.is_writable()


async def test_one_who_leaves_ends_nothing_for_others(
    rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = asyncio.Event()

    async def slow() -> bool:
        await may_end.wait()
        return True

    monkeypatch.setattr(rooms.db, "is_writable", slow)
    leaving, staying = (asyncio.ensure_future(rooms.health.is_writable()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    may_end.set()
    assert await staying
