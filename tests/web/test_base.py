"""The base class of all handlers."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from tests.conftest import Client


async def test_an_event_leaves_at_once(ada: Client, http_server: Any, app: Any) -> None:
    """Without TCP_NODELAY an event waits up to 40 ms for the client's acknowledgement."""
    chat = await ada.chat()
    streamed = asyncio.ensure_future(ada.say(chat, "/slow 20"))
    seen = False
    while not streamed.done():
        await asyncio.sleep(0.001)
        for connection in http_server._connections:
            if not connection.stream.closed():
                option = connection.stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                seen = seen or bool(option and len(app.in_flight))
    await streamed
    assert seen


async def test_errors_and_successes_have_the_same_headers(ada: Client) -> None:
    for operation in ("GET /users/me", "GET /nothing", "PATCH /users/me"):
        answer = await ada(operation, {} if operation.startswith("PATCH") else None)
        assert answer.headers["Server"] == "Quillium"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["X-RateLimit-Limit"] == "100"
