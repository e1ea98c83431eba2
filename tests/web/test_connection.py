"""Malformed requests get a JSON error and are never quoted in the log."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest

import schemas
from tests.conftest import Client
from tests.handlers.raw import raw

POST = b"POST /api/v1/chats HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "no request line": b"nonsense\r\n\r\n",
    "no version": b"GET /health\r\nHost: localhost\r\n\r\n",
    "a version that is none": b"GET /health HTTP/9.x\r\nHost: localhost\r\n\r\n",
    "a header without a colon": b"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n",
    "a header that ends in CR": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: secret\r\r\n\r\n",
    "a control character": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0secret\r\n\r\n",
    "no Host": b"GET /health HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    "a Host that is none": b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length that is no number": POST + b"Content-Length: secret\r\n\r\n{}",
    "a length beside chunks": CHUNKED + b"Content-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "another transfer coding": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk extension": CHUNKED + b"\r\n2;name=secret\r\n{}\r\n0\r\n\r\n",
    "a trailer": CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX: secret\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"\r\nsecret\r\n{}\r\n0\r\n\r\n",
    "a chunk that is too short": CHUNKED + b"\r\n1\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_requests(
    anyone: Client, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        status, headers, body = await raw(anyone.base_url, MALFORMED[name])
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert re.fullmatch(r"req_[0-9A-Za-z]+", headers["x-request-id"])
    answer = json.loads(body)
    schemas.validate("error", answer)
    assert answer["error"]["code"] == "invalid_request"
    assert headers["x-request-id"] in caplog.text
    assert "secret" not in caplog.text
    assert (await anyone("GET /health")).status == 200


async def test_a_token_in_a_malformed_header_is_not_logged(
    ada: Client, caplog: pytest.LogCaptureFixture
) -> None:
    request = (
        f"GET /api/v1/chats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ada.credential}"
        "\r\r\n\r\n"
    )
    with caplog.at_level(logging.DEBUG):
        status, _, _ = await raw(ada.base_url, request.encode())
    assert " 400 " in status
    assert str(ada.credential) not in caplog.text


async def test_a_response_that_was_sent_is_the_only_one(ada: Client) -> None:
    """The handler refuses the first mebibyte; what follows is malformed."""
    host, port = ada.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = CHUNKED + f"Authorization: Bearer {ada.credential}\r\n\r\n".encode()
    writer.write(head + b"2\r\n{}\r\n0\r\n\r\n" + CHUNKED + b"\r\nnonsense\r\n")
    received = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"201", b"400"]


async def test_a_client_that_is_gone_harms_nobody(anyone: Client) -> None:
    host, port = anyone.base_url.removeprefix("http://").split(":")
    for request in MALFORMED.values():
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        writer.transport.abort()
    assert (await anyone("GET /health")).status == 200
