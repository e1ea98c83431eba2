"""Bounds on bodies, so that they can't fill the memory (docs/security.md, "The edge")."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

from tornado import httputil

from web.relay import Relay

MAX_BODY = 1 << 20  # bytes
SMALL_BODY = 1 << 16  # bytes; nearly all bodies are smaller
LARGE_BODIES = 16  # read at a time; some 45 MiB with what becomes of them
_LENGTH = re.compile(r"[0-9]{1,20}\Z")


class BoundedBody(Relay):
    """Passes on a body of at most `MAX_BODY` bytes; reads the rest without keeping it.

    The handler can then respond with 413, and the client receives the response. Only as many large
    bodies are read at a time as `places` has; the others wait in their connections.
    """

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        arguments: dict[str, Any],
        places: asyncio.Semaphore,
    ) -> None:
        super().__init__(delegate)
        self._arguments = arguments
        self._places = places
        self._has_place = False
        self._has_ended = False
        self._received = 0

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        announced = headers.get("Content-Length", "")
        if _LENGTH.match(announced) and int(announced) > MAX_BODY:
            self._arguments["is_too_large"] = True
        return super().headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._received > MAX_BODY:
            self._arguments["is_too_large"] = True
        if self._arguments.get("is_too_large"):
            return None
        if self._received > SMALL_BODY and not self._has_place:
            return self._take_place(chunk)
        return super().data_received(chunk)

    def finish(self) -> None:
        super().finish()
        self._end()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._end()

    async def _take_place(self, chunk: bytes) -> None:
        await self._places.acquire()
        if self._has_ended:  # it timed out while it waited
            self._places.release()
            return
        self._has_place = True
        passed_on = super().data_received(chunk)
        if passed_on is not None:
            await passed_on

    def _end(self) -> None:
        self._has_ended = True
        if self._has_place:
            self._has_place = False
            self._places.release()
