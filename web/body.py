"""Limits on request bodies that bound memory use (docs/security.md, "The edge")."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tornado import httputil

from core.fair_slots import FairSlots
from web.relay import Relay

MAX_BODY = 1 << 20  # bytes, unless a handler allows more
SMALL_BODY = 1 << 16  # bytes; nearly all bodies are smaller
# Bodies that are read at once: 45 MiB of large ones with their parsed form, and 80 MiB of files,
# imports and images for models, which are larger than `MAX_BODY`.
LARGE_BODIES = 16
HUGE_BODIES = 4
LARGE_BODIES_EACH = 8  # of one account, or of one address without an account
HUGE_BODIES_EACH = 2
_LENGTH = re.compile(r"[0-9]{1,20}\Z")


class Owner(NamedTuple):
    """Who sends a body: the id of an account, or a client address."""

    key: str
    is_account: bool


class BodySlots:
    """Limits how many large and huge bodies are read at once. Create it on the event loop."""

    def __init__(self) -> None:
        self.tiers = (
            (SMALL_BODY, FairSlots(LARGE_BODIES, LARGE_BODIES_EACH)),
            (MAX_BODY, FairSlots(HUGE_BODIES, HUGE_BODIES_EACH)),
        )


class BoundedBody(Relay):
    """Passes on a body of at most `limit` bytes; reads and discards the rest.

    This lets the handler respond with 413 such that the client receives it. `slots` limits how
    many large bodies are read at once; the other connections are paused. Only accounts may send
    more than `MAX_BODY`. If the handler `keeps_slot`, it calls `arguments["release_body"]` when it
    needs the body no longer.
    """

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        arguments: dict[str, Any],
        slots: BodySlots,
        owner: Callable[[], Owner],
        limit: int = MAX_BODY,
        *,
        keeps_slot: bool = False,
    ) -> None:
        super().__init__(delegate)
        self._arguments = arguments
        self._tiers = list(slots.tiers)
        self._owner = owner
        self._limit = limit
        self._keeps_slot = keeps_slot
        self._acquired: list[tuple[FairSlots, str]] = []
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
        if self._keeps_slot:
            self._arguments["release_body"] = self._end
        super().finish()
        if not self._keeps_slot:
            self._end()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._end()

    async def _acquire_slots(self, chunk: bytes) -> None:
        owner = self._owner()
        while self._tiers and self._received > self._tiers[0][0]:
            if self._tiers[0][0] >= MAX_BODY and not owner.is_account:
                self._arguments["is_too_large"] = True
                return
            _, slots = self._tiers.pop(0)
            await slots.acquire(owner.key)
            if self._has_ended:  # the connection timed out while waiting
                slots.release(owner.key)
                return
            self._acquired.append((slots, owner.key))
        passed_on = super().data_received(chunk)
        if passed_on is not None:
            await passed_on

    def _end(self) -> None:
        self._has_ended = True
        while self._acquired:
            slots, key = self._acquired.pop()
            slots.release(key)
