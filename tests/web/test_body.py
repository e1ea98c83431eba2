"""Body size limits: oversized bodies are discarded, and large ones are queued."""

from __future__ import annotations

import asyncio
from typing import Any

from tornado import httputil

from web.body import HUGE_BODIES, LARGE_BODIES, SMALL_BODY, BodySlots, BoundedBody

START = httputil.RequestStartLine("POST", "/", "HTTP/1.1")


class Kept(httputil.HTTPMessageDelegate):
    def __init__(self) -> None:
        self.body = b""
        self.has_finished = False

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> None:
        pass

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk

    def finish(self) -> None:
        self.has_finished = True


def bounded(slots: BodySlots, limit: int = 100) -> tuple[BoundedBody, Kept, dict[str, Any]]:
    kept, arguments = Kept(), dict[str, Any]()
    return BoundedBody(kept, arguments, slots, limit), kept, arguments


def headers(**fields: str) -> httputil.HTTPHeaders:
    return httputil.HTTPHeaders({name.replace("_", "-"): value for name, value in fields.items()})


async def test_a_body_up_to_the_limit_is_passed_on() -> None:
    body, kept, arguments = bounded(BodySlots())
    body.headers_received(START, headers(Content_Length="100"))
    assert body.data_received(b"x" * 60) is None
    assert body.data_received(b"y" * 40) is None
    body.finish()
    assert kept.body == b"x" * 60 + b"y" * 40
    assert kept.has_finished
    assert arguments == {}


async def test_a_body_over_the_limit_is_noted_and_not_kept() -> None:
    for announced in ({"Content_Length": "101"}, {"Transfer_Encoding": "chunked"}):
        body, kept, arguments = bounded(BodySlots())
        body.headers_received(START, headers(**announced))
        body.data_received(b"x" * 101)
        body.data_received(b"x" * 1000)
        body.finish()
        assert arguments == {"is_too_large": True}
        assert kept.body == b""
        assert kept.has_finished  # the handler responds with 413


async def test_only_so_many_large_bodies_are_read_at_a_time() -> None:
    slots = BodySlots()
    chunk = b"x" * (SMALL_BODY + 1)
    first = [bounded(slots, 1 << 20)[0] for _ in range(LARGE_BODIES)]
    for body in first:
        taking = body.data_received(chunk)
        assert taking is not None
        await taking
    body, kept, _ = bounded(slots, 1 << 20)
    taking = body.data_received(chunk)
    assert taking is not None
    waiting = asyncio.ensure_future(taking)
    await asyncio.sleep(0)
    assert not waiting.done()
    first[0].on_connection_close()  # whatever ends a request makes room
    await waiting
    assert kept.body == chunk


async def test_a_connection_that_ends_while_it_waits_takes_no_place() -> None:
    slots = BodySlots()
    chunk = b"x" * (SMALL_BODY + 1)
    first = [bounded(slots, 1 << 20)[0] for _ in range(LARGE_BODIES)]
    for body in first:
        taking = body.data_received(chunk)
        assert taking is not None
        await taking
    late, kept, _ = bounded(slots, 1 << 20)
    taking = late.data_received(chunk)
    assert taking is not None
    waiting = asyncio.ensure_future(taking)
    await asyncio.sleep(0)
    late.on_connection_close()
    for body in first:
        body.finish()
    await waiting
    assert kept.body == b""
    for tier, count in zip(slots.tiers, (LARGE_BODIES, HUGE_BODIES), strict=True):
        for _ in range(count):
            await asyncio.wait_for(tier[1].acquire(), 1)  # all places are free again
