"""Responses: which are compressed, and what their headers say."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

from tests.conftest import Client, events
from tests.handlers.raw import raw


async def get(client: Client, path: str, *headers: str, method: str = "GET") -> Any:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if client.credential:
        lines.append(f"Authorization: Bearer {client.credential}")
    return await raw(client.base_url, "\r\n".join([*lines, "", ""]).encode())


async def test_a_large_response_is_compressed(ada: Client) -> None:
    chat = await ada.chat()
    await ada.say(chat, "A quill is a feather. " * 4_000)
    for path in (f"/v1/chats/{chat}/messages", f"/api/v1/chats/{chat}/export",
                 f"/v1/chats/{chat}/export?format=markdown"):  # fmt: skip
        _, plain_headers, plain = await get(ada, path)
        _, headers, body = await get(ada, path, "Accept-Encoding: gzip, br")
        assert headers["content-encoding"] == "gzip"
        assert headers["vary"] == plain_headers["vary"] == "Origin, Accept-Encoding"
        assert headers["content-type"] == plain_headers["content-type"]
        assert "content-encoding" not in plain_headers
        assert len(body) < len(plain) / 10
        assert gzip.decompress(body) == plain
        for refused in ("gzip;q=0", "identity", "gzip;q=0, *;q=1"):
            _, other, same = await get(ada, path, f"Accept-Encoding: {refused}")
            assert "content-encoding" not in other
            assert same == plain


async def test_a_small_response_and_an_error_are_not_compressed(ada: Client) -> None:
    for path in ("/v1/users/me", "/v1/chats/chat_none", "/v1/nothing"):
        _, headers, body = await get(ada, path, "Accept-Encoding: gzip")
        assert "content-encoding" not in headers
        assert headers["vary"] == "Origin"
        json.loads(body)


async def test_the_head_of_a_compressed_response(ada: Client) -> None:
    chat = await ada.chat()
    await ada.say(chat, "A quill is a feather. " * 2_000)
    for path in (f"/v1/chats/{chat}/messages", "/v1/openapi.json"):
        for encoding in ("gzip", "identity"):
            _, whole, body = await get(ada, path, f"Accept-Encoding: {encoding}")
            reader, writer = await asyncio.open_connection(*ada.base_url[7:].split(":"))
            writer.write(
                f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                f"Authorization: Bearer {ada.credential}\r\n"
                f"Accept-Encoding: {encoding}\r\n\r\n".encode()
            )
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            assert rest == b""
            assert f"Content-Length: {len(body)}".encode() in head
            assert (b"Content-Encoding: gzip" in head) is (encoding == "gzip")
            assert int(whole["content-length"]) == len(body)


async def test_the_openapi_document_is_revalidated(anyone: Client) -> None:
    _, plain, body = await get(anyone, "/v1/openapi.json")
    _, small, compressed = await get(anyone, "/v1/openapi.json", "Accept-Encoding: gzip")
    assert gzip.decompress(compressed) == body
    assert "Accept-Encoding" in small["vary"]
    assert plain["etag"] != small["etag"]
    held = f"If-None-Match: {small['etag']}"
    status, headers, empty = await get(anyone, "/v1/openapi.json", held, "Accept-Encoding: gzip")
    assert ("304" in status, empty) == (True, b"")
    assert headers["etag"] == small["etag"]
    assert "200" in (await get(anyone, "/v1/openapi.json", held))[0]  # another form


async def test_streams_are_not_compressed(ada: Client) -> None:
    chat = await ada.chat()
    answer = await ada(
        "POST /chats/{id}/messages",
        {"content": "/lorem 5000"},
        id=chat,
        headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"},
    )
    assert "Content-Encoding" not in answer.headers
    assert events(answer.raw)[-1]["data"]["status"] == "complete"


async def test_requests_follow_each_other_on_one_connection(ada: Client) -> None:
    """The response of the first is sent later, by a thread; the second waits for it."""
    chat = await ada.chat()
    await ada.say(chat, "A quill is a feather. " * 4_500)
    reader, writer = await asyncio.open_connection(*ada.base_url[7:].split(":"))
    for path, last in ((f"chats/{chat}/messages", ""), ("users/me", "Connection: close\r\n")):
        writer.write(
            f"GET /v1/{path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
            f"Authorization: Bearer {ada.credential}\r\n{last}\r\n".encode()
        )
    received = await reader.read()
    writer.close()
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b"Content-Encoding: gzip") < received.index(b"ada@example.com")
