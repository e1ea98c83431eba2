"""Writes that wait are served in turn by account."""

from __future__ import annotations

import asyncio

from storage.connection import Connection
from storage.write_queue import Job, WriteQueue


async def test_accounts_take_turns() -> None:
    queue = WriteQueue()
    assert not queue

    def nothing(_: Connection) -> None: ...

    def jobs(accounts: str) -> list[Job]:
        future = asyncio.get_running_loop().create_future()
        return [Job(nothing, None, future, account) for account in accounts]

    queue.extend(first := jobs("aaaab"))
    assert queue.pop() is first[0]
    queue.extend(jobs("c"))
    order = []
    while queue:
        order.append(queue.pop().account)
    assert order == list("bacaa")
