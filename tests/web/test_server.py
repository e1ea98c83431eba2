"""Time-outs of the three stages of a request (docs/security.md, "The edge")."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from core import coroutines

HEAD = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize(
    ("sent", "is_idle", "has_bytes", "least", "most"),
    [
        (b"", True, False, 299, 300),
        (HEAD, False, True, 5, 6),  # 10 s after its first byte, minus two intervals of checks
        (HEAD + BODY, False, False, 29, 30),
    ],
)
async def test_each_stage_has_its_time(
    http_server: Any, sent: bytes, is_idle: bool, has_bytes: bool, least: float, most: float
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server.port)
    writer.write(sent)
    while True:
        await asyncio.sleep(0.001)
        http_server._close_overdue()  # notices that a header has begun
        for connection, pending in http_server._pending.items():
            if (pending.is_idle, connection.stream._read_buffer_size > 0) == (is_idle, has_bytes):
                break
        else:
            continue
        break
    assert least < pending.deadline - time.monotonic() <= most
    pending.deadline = time.monotonic() - 1
    http_server._close_overdue()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    assert http_server._pending == {}


async def test_a_handler_has_no_deadline(
    http_server: Any, rooms: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complete request is no longer pending, however long its response takes."""
    pending: list[Any] = []
    authenticate = rooms.accounts.authenticate

    def record(credential: str, client: Any) -> Any:
        pending.append(list(http_server._pending))
        return authenticate(credential, client)

    monkeypatch.setattr(rooms.accounts, "authenticate", record)
    assert (await ada("PUT /users/me", {"name": "Ada"})).status == 200
    assert pending == [[]]


@pytest.mark.parametrize(("size", "begun"), [(10, 1), (100_000, 0)])
async def test_what_is_large_waits_for_its_turn(
    ada: Any, monkeypatch: pytest.MonkeyPatch, size: int, begun: int
) -> None:
    """Others notice twelve milliseconds of it where it does not (bench/abuse.py)."""
    chat = await ada.chat()
    at_once: list[Any] = []
    begin = coroutines.begin

    def count(coroutine: Any) -> Any:
        if coroutine.__name__ == "_counted":
            at_once.append(coroutine)
        return begin(coroutine)

    monkeypatch.setattr(coroutines, "begin", count)
    answer = await ada("POST /chats/{id}/messages", {"content": "x" * size}, id=chat)
    assert answer.status == 201
    assert len(at_once) == begun
