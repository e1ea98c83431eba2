"""Limits on request bodies that bound memory use (docs/security.md, "The edge")."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

from tornado import httputil

from web.relay import Relay

MAX_BODY = 1 << 20  # bytes, unless a handler allows more
SMALL_BODY = 1 << 16  # bytes; nearly all bodies are smaller
LARGE_BODIES = 16  # read concurrently; about 45 MiB with their parsed form
HUGE_BODIES = 4  # larger than `MAX_BODY`, read concurrently: files, imports, images for models
_LENGTH = re.compile(r"[0-9]{1,20}\Z")


class BodySlots:
    """Limits how many large and huge bodies are read concurrently. Create it on the event loop."""

    def __init__(self) -> None:
        self.tiers = (
            (SMALL_BODY, asyncio.Semaphore(LARGE_BODIES)),
            (MAX_BODY, asyncio.Semaphore(HUGE_BODIES)),
        )


class BoundedBody(Relay):
    """Passes on a body of at most `limit` bytes; reads and discards the rest.

    This lets the handler respond with 413 such that the client receives it. `slots` limits how
    many large bodies are read concurrently; the other connections are paused.
    """

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        arguments: dict[str, Any],
        slots: BodySlots,
        limit: int = MAX_BODY,
    ) -> None:
        super().__init__(delegate)
        self._arguments = arguments
        self._tiers = list(slots.tiers)
        self._limit = limit
        self._acquired: list[asyncio.Semaphore] = []
        self._has_ended = False
        self._received = 0

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        announced = headers.get("Content-Length", "")
        if _LENGTH.match(announced) and int(announced) > self._limit:
            self._arguments["is_too_large"] = True
        return super().headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._received > self._limit:
            self._arguments["is_too_large"] = True
        if self._arguments.get("is_too_large"):
            return None
        if self._tiers and self._received > self._tiers[0][0]:
            return self._acquire_slots(chunk)
        return super().data_received(chunk)

    def finish(self) -> None:
        super().finish()
        self._end()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._end()

    async def _acquire_slots(self, chunk: bytes) -> None:
        while self._tiers and self._received > self._tiers[0][0]:
            _, slots = self._tiers.pop(0)
            await slots.acquire()
            if self._has_ended:  # the connection timed out while waiting
                slots.release()
                return
            self._acquired.append(slots)
        passed_on = super().data_received(chunk)
        if passed_on is not None:
            await passed_on

    def _end(self) -> None:
        self._has_ended = True
        while self._acquired:
            self._acquired.pop().release()
