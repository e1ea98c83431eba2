"""Work is charged to the account of its task."""

from __future__ import annotations

import asyncio

from core import fairness


async def test_a_task_and_the_tasks_it_creates_are_charged() -> None:
    async def inner() -> str:
        return fairness.charged()

    async def outer(account: str) -> str:
        fairness.charge(account)
        return await asyncio.ensure_future(inner())

    tasks = [asyncio.ensure_future(outer(account)) for account in ("ada", "bob")]
    assert await asyncio.gather(*tasks) == ["ada", "bob"]
    assert fairness.charged() == fairness.SERVER
