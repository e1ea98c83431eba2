"""Requests and WebSockets that a shutdown waits for, however they end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.simple_httpclient import HTTPStreamClosedError

from handlers.application import QuilliumApplication
from tests.conftest import Client
from web.in_flight import InFlight


async def emptied(app: QuilliumApplication) -> None:
    async with asyncio.timeout(3):
        await app.in_flight.emptied()


async def test_it_is_empty_only_when_everything_has_ended() -> None:
    in_flight = InFlight()
    waiting = asyncio.ensure_future(in_flight.emptied())
    with in_flight:
        with suppress(ValueError), in_flight:
            assert len(in_flight) == 2
            raise ValueError
        assert len(in_flight) == 1
        assert (await asyncio.wait([asyncio.ensure_future(in_flight.emptied())], timeout=0))[1]
    await waiting


async def test_a_request_with_its_response(ada: Client, app: QuilliumApplication) -> None:
    await ada("GET /users/me")
    await emptied(app)


@pytest.mark.flags("--dev")
async def test_a_dropped_connection(anyone: Client, app: QuilliumApplication) -> None:
    headers = {"X-Quillium-Simulate": "drop"}
    with pytest.raises(HTTPStreamClosedError):
        await anyone("GET /models", headers=headers)
    await emptied(app)


async def test_an_open_socket(ada: Client, app: QuilliumApplication) -> None:
    client = await ada.socket()
    await ada("GET /users/me")
    assert len(app.in_flight) == 1
    client.connection.close()
    await client.closed()
    await emptied(app)


async def test_a_socket_that_was_refused(anyone: Client, app: QuilliumApplication) -> None:
    client = await anyone.socket("no token")
    assert await client.closed() == 4401
    await emptied(app)


async def test_a_handshake_that_failed(anyone: Client, app: QuilliumApplication) -> None:
    with pytest.raises(HTTPClientError, match="403"):
        await anyone.socket("no token", Origin="https://evil.example")
    await emptied(app)


async def test_a_streamed_reply_until_it_ends(ada: Client, app: QuilliumApplication) -> None:
    chat = await ada.chat()
    streamed = asyncio.ensure_future(ada.say(chat, "/slow 500"))
    while not len(app.in_flight):
        await asyncio.sleep(0.001)
    await streamed
    await emptied(app)


async def test_a_caller_that_is_gone(ada: Client, app: QuilliumApplication) -> None:
    host, port = ada.base_url.removeprefix("http://").split(":")
    body = b'{"model": "quillium-demo", "stream": true, "messages": [{"role": "user", "content": "/slow 20"}]}'
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(
            b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (str(ada.credential).encode(), len(body), body)
        )
        while not len(app.in_flight):
            await asyncio.sleep(0.001)
    await emptied(app)


async def test_a_response_that_is_not_read_yet(ada: Client, app: QuilliumApplication) -> None:
    """It is in flight until the system has taken all of it, not only until it is in our buffer."""
    chat = await ada.chat()
    for _ in range(10):
        await ada("POST /chats/{id}/messages", {"content": "/help " + "x" * 90_000}, id=chat)
    await emptied(app)
    host, port = ada.base_url.removeprefix("http://").split(":")
    asked = (
        f"GET /api/v1/chats/{chat}/messages HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {ada.credential}\r\n\r\n"
    )
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((host, int(port)))
        reader.sendall(asked.encode() * 10)  # 9 MB: more than the system buffers
        while not len(app.in_flight):
            await asyncio.sleep(0.001)
        done, _ = await asyncio.wait([asyncio.ensure_future(app.in_flight.emptied())], timeout=0.2)
        assert not done
    await emptied(app)


@pytest.mark.flags("--dev")
async def test_a_simulated_latency_ends_with_the_drain(
    anyone: Client, app: QuilliumApplication
) -> None:
    headers = {"X-Quillium-Simulate": "latency=900000"}
    answering = asyncio.ensure_future(anyone("GET /health", headers=headers))
    while not len(app.in_flight):
        await asyncio.sleep(0.001)
    await app.in_flight.drain(3)
    assert (await answering).status == 200


def test_the_application_waits_no_longer_than_it_is_told(
    app: QuilliumApplication, io_loop: Any
) -> None:
    with app.in_flight:
        io_loop.run_sync(lambda: app.in_flight.drain(0.01))
