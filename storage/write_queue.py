"""Writes that wait for the writer thread, served in turn by account."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

from core import fairness
from storage.connection import Connection


@dataclass(eq=False, slots=True)
class Job:
    """A write, with the context in which its commit is published."""

    work: Callable[[Connection], Any]
    on_commit: Callable[[Any], Any] | None
    future: asyncio.Future[Any]
    account: str = field(default_factory=fairness.charged)
    context: Context = field(default_factory=copy_context)
    requested_at: float = field(default_factory=time.monotonic)


class WriteQueue:
    """A queue for each account, round-robin. It keeps the order of each account's writes.

    Used by the writer thread alone.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()  # the first account is next

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def extend(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._waiting.setdefault(job.account, deque()).append(job)

    def pop(self) -> Job:
        """Remove and return the next account's oldest write. The queue must not be empty."""
        account = next(iter(self._waiting))
        jobs = self._waiting[account]
        job = jobs.popleft()
        if jobs:
            self._waiting.move_to_end(account)
        else:
            del self._waiting[account]
        return job
