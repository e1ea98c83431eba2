"""Body size limits: oversized bodies are discarded, and large ones are queued."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado import httputil

from web.body import (
    HUGE_BODIES,
    HUGE_BODIES_EACH,
    LARGE_BODIES,
    LARGE_BODIES_EACH,
    MAX_BODY,
    SMALL_BODY,
    BodySlots,
    BoundedBody,
    Owner,
)

LARGE_BODY = b"x" * (SMALL_BODY + 1)
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


def bounded(
    slots: BodySlots, limit: int = 100, owner: str = "ada", **options: Any
) -> tuple[BoundedBody, Kept, dict[str, Any]]:
    kept, arguments = Kept(), dict[str, Any]()
    is_account = owner[0].isalpha()
    body = BoundedBody(kept, arguments, slots, lambda: Owner(owner, is_account), limit, **options)
    return body, kept, arguments


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


async def receive_large(body: BoundedBody) -> None:
    waiting = body.data_received(LARGE_BODY)
    assert waiting is not None
    await waiting


async def fill(slots: BodySlots) -> list[BoundedBody]:
    """Start reading as many large bodies as are allowed."""
    bodies = [bounded(slots, 1 << 20, f"user{n}")[0] for n in range(LARGE_BODIES)]
    for body in bodies:
        await receive_large(body)
    return bodies


async def test_only_so_many_large_bodies_are_read_at_a_time() -> None:
    slots = BodySlots()
    first = await fill(slots)
    body, kept, _ = bounded(slots, 1 << 20)
    waiting = asyncio.ensure_future(receive_large(body))
    await asyncio.sleep(0)
    assert not waiting.done()
    first[0].on_connection_close()  # whatever ends a request makes room
    await waiting
    assert kept.body == LARGE_BODY


async def test_a_connection_that_ends_while_it_waits_takes_no_place() -> None:
    slots = BodySlots()
    first = await fill(slots)
    late, kept, _ = bounded(slots, 1 << 20)
    waiting = asyncio.ensure_future(receive_large(late))
    await asyncio.sleep(0)
    late.on_connection_close()
    for body in first:
        body.finish()
    await waiting
    assert kept.body == b""
    for tier, count in zip(slots.tiers, (LARGE_BODIES, HUGE_BODIES), strict=True):
        for n in range(count):
            await asyncio.wait_for(tier[1].acquire(n), 1)  # all slots are free again


async def take(body: BoundedBody, size: int) -> None:
    taking = body.data_received(b"x" * size)
    assert taking is not None
    await asyncio.wait_for(taking, 1)


@pytest.mark.parametrize(
    ("size", "each"), [(SMALL_BODY + 1, LARGE_BODIES_EACH), (MAX_BODY + 1, HUGE_BODIES_EACH)]
)
async def test_one_account_does_not_take_all_slots(size: int, each: int) -> None:
    slots = BodySlots()
    for _ in range(each):
        await take(bounded(slots, 2 * MAX_BODY)[0], size)
    waiting = bounded(slots, 2 * MAX_BODY)[0].data_received(b"x" * size)
    assert waiting is not None
    queued = asyncio.ensure_future(waiting)
    await take(bounded(slots, 2 * MAX_BODY, "bob")[0], size)
    assert not queued.done()
    queued.cancel()


async def test_nobody_without_an_account_sends_more_than_a_mebibyte() -> None:
    body, kept, arguments = bounded(BodySlots(), 2 * MAX_BODY, "127.0.0.1")
    await take(body, MAX_BODY)
    await take(body, 1)
    assert body.data_received(b"x" * 100) is None
    body.finish()
    assert arguments == {"is_too_large": True}
    assert len(kept.body) == MAX_BODY


async def test_a_handler_can_keep_the_place_of_its_body() -> None:
    slots = BodySlots()
    for _ in range(HUGE_BODIES_EACH):
        body, _, arguments = bounded(slots, 2 * MAX_BODY, keeps_slot=True)
        await take(body, MAX_BODY + 1)
        body.finish()
    late = bounded(slots, 2 * MAX_BODY)[0].data_received(b"x" * (MAX_BODY + 1))
    assert late is not None
    waiting = asyncio.ensure_future(late)
    await asyncio.sleep(0)
    assert not waiting.done()
    arguments["release_body"]()
    await asyncio.wait_for(waiting, 1)
