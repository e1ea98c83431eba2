"""Requests to providers: what is sent, and through which proxy or connection."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from assistant import PromptMessage
from assistant.events import Reasoning, Text
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Deadline, Upstream, _Connection
from core.errors import ModelRefused, ModelTimeout, ModelUnavailable, QuilliumError
from tests.assistant.dialects.hosted import OPENAI
from tests.assistant.upstream import Caller, Script, upstream

HELLO = [PromptMessage("user", "Hello?")]


async def reply_of(asked: Upstream) -> str:
    events = OpenAICompatible(asked).reply(HELLO, "m")
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def requests_of(script: Script, asked: str = "", **settings: object) -> list[Caller]:
    """The callers of one reply, whose base_url gets `asked` at its end."""
    callers: list[Caller] = []

    async def note(caller: Caller) -> None:
        callers.append(caller)
        await script(caller)

    async with upstream(note) as base_url:
        await reply_of(Upstream("The Upstream", base_url + asked, **settings))  # type: ignore[arg-type]
    return callers


async def hello(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hello")
    await caller.done()


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/deployments/x?api-version=2026-01-01", "/v1/deployments/x/chat/completions?api-version=2026-01-01"),
        ("/?a=b&c=d#frag", "/v1/chat/completions?a=b&c=d"),
        ("/a b/ü", "/v1/a%20b/%C3%BC/chat/completions"),
        ("/a%20b", "/v1/a%20b/chat/completions"),
    ],
)  # fmt: skip
async def test_the_query_of_a_base_url_stays_in_its_place(asked: str, path: str) -> None:
    (caller,) = await requests_of(hello, asked)
    assert caller.path == f"POST {path} HTTP/1.1"


async def test_headers() -> None:
    headers = (("api-key", "k1"), ("authorization", "Basic x"), ("user-agent", "Mine"))
    (caller,) = await requests_of(hello, api_key="sk-key", headers=headers)
    assert caller.headers["api-key"] == "k1"
    assert caller.headers["authorization"] == "Basic x"  # the admin's own wins
    assert caller.headers["user-agent"] == "Mine"
    assert caller.headers["accept-encoding"] == "identity"
    with pytest.raises(ModelRefused, match="invalid characters"):
        await requests_of(hello, headers=(("X", "ü"),))


async def test_gzip_that_nobody_asked_for() -> None:
    async def packed(caller: Caller) -> None:
        body = gzip.compress(OPENAI)
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        await caller.raw(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async with upstream(packed) as base_url:
        assert await reply_of(Upstream("The Upstream", base_url)) == "Hello"


async def test_a_body_that_ends_with_the_connection_is_streamed() -> None:
    async def old(caller: Caller) -> None:
        await caller.raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await caller.raw(b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n')
        await caller.received.wait()
        await caller.raw(b'data: {"choices": [{"delta": {"content": "lo"}}]}\n\ndata: [DONE]\n\n')

    received = asyncio.Event()
    async with upstream(old, received) as base_url:
        reply = OpenAICompatible(Upstream("The Upstream", base_url)).reply(HELLO, "m")
        assert await anext(reply) == Text("Hel")
        received.set()
        assert [event.text async for event in reply if isinstance(event, Text)] == ["lo"]


async def test_what_comes_with_the_end_of_a_connection_that_breaks_off_is_kept() -> None:
    async def cut(caller: Caller) -> None:
        chunk = b'data: {"choices": [{"delta": {"content": "Hello"}}]}\n\n'
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        await caller.raw(head + b"%x\r\n%s\r\n" % (len(chunk), chunk))

    async with upstream(cut) as base_url:
        reply = OpenAICompatible(Upstream("x", base_url)).reply(HELLO, "m")
        assert await anext(reply) == Text("Hello")
        with pytest.raises(ModelUnavailable, match="closed the connection"):
            await anext(reply)


async def test_the_first_token_may_take_longer_than_the_next() -> None:
    """Comments and a role are no token; reasoning is one."""
    go_on = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.begin()
        await caller.event(role="assistant", content="")
        await caller.chunk(b": still thinking\n\n")
        await go_on.wait()
        await caller.event(reasoning_content="Hm")
        await caller.wait_for_close()

    async with upstream(script) as base_url:
        patient = Upstream("The Upstream", base_url, first_seconds=60, silent_seconds=0.05)
        reply = OpenAICompatible(patient).reply(HELLO, "m")
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        assert await anext(reply) == Reasoning("Hm")
        with pytest.raises(ModelTimeout, match="sent nothing for 1 second"):
            await anext(reply)


async def test_an_answer_that_drips_is_cut_off() -> None:
    async def script(caller: Caller) -> None:
        await caller.begin()
        while True:
            await caller.chunk(b": not yet\n\n")
            await asyncio.sleep(0.01)

    async with upstream(script) as base_url:
        with pytest.raises(ModelTimeout, match="needed more than 0 seconds"):
            await reply_of(Upstream("The Upstream", base_url, total_seconds=0.2))


async def test_reasons_are_not_lost() -> None:
    async def script(caller: Caller) -> None:
        await caller.respond("500 No", b'{"error": {"message": "out of memory"}}')

    async with upstream(script) as base_url:
        with pytest.raises(QuilliumError) as raised:
            await reply_of(Upstream("The Upstream", base_url))
    assert raised.value.details == "The Upstream failed (500): out of memory"


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b'{"a": {"b": 7}}', b"[" * 9_999])
async def test_a_failure_without_words(body: bytes) -> None:
    async def script(caller: Caller) -> None:
        await caller.respond("500 No", body)

    async with upstream(script) as base_url:
        with pytest.raises(ModelUnavailable, match=r"failed \(500\)"):
            await reply_of(Upstream("The Upstream", base_url))


async def test_a_secret_in_a_header_never_shows() -> None:
    secret = "a-very-secret-token"

    async def script(caller: Caller) -> None:
        await caller.respond("401 No", json.dumps({"error": f"{secret} is wrong"}).encode())

    async with upstream(script) as base_url:
        with pytest.raises(ModelRefused) as raised:
            await reply_of(Upstream("The Upstream", base_url, headers=(("api-key", secret),)))
    assert raised.value.details.endswith("is wrong")
    assert "secret" not in raised.value.details


class Stream:
    """A connection whose next read ends when the test says so."""

    def __init__(self) -> None:
        self.read: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def read_bytes(self, *_: object, **__: object) -> asyncio.Future[bytes]:
        return self.read


async def test_a_stop_that_comes_with_data_is_not_lost() -> None:
    asked = Upstream("Mine", "http://127.0.0.1:9/v1")
    stream = Stream()
    connection = _Connection(asked, stream, Deadline(asked))  # type: ignore[arg-type]
    reading = asyncio.ensure_future(connection.response())
    await asyncio.sleep(0)
    stream.read.set_result(b"HTTP/1.1 200 OK\r\n\r\n")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
