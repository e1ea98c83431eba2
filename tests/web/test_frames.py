"""WebSocket framing, and the close codes for invalid frames (RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from typing import Any

import pytest

from tests.conftest import Client
from web.frames import head_of_text


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536, 1 << 20])
def test_heads(length: int) -> None:
    head = head_of_text(length)
    assert head[0] == 0x81
    if length < 126:
        assert head[1:] == bytes([length])
    elif length < 1 << 16:
        assert head[1:] == b"\x7e" + struct.pack("!H", length)
    else:
        assert head[1:] == b"\x7f" + struct.pack("!Q", length)


def frame(first: int, payload: bytes = b"", *, is_masked: bool = True) -> bytes:
    assert len(payload) < 126
    mask = b"\0\0\0\0" if is_masked else b""
    return bytes([first, len(payload) | (0x80 if is_masked else 0)]) + mask + payload


async def opened(client: Client) -> Any:
    host, port = client.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /api/v1/ws?token={client.credential} HTTP/1.1\r\nHost: localhost\r\n"
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head
    return reader, writer


PING, TEXT, MORE, CLOSE = 0x89, 0x81, 0x80, 0x88
INVALID = {
    "an unmasked frame": (frame(TEXT, b"{}", is_masked=False), 1002),
    "a reserved bit": (frame(TEXT | 0x40, b"{}"), 1002),
    "a reserved opcode": (frame(0x83, b"{}"), 1002),
    "a reserved control opcode": (frame(0x8B), 1002),
    "a ping in fragments": (frame(0x09), 1002),
    "a long ping": (bytes([PING, 0xFE, 0, 126]) + b"\0" * 130, 1002),
    "a continuation of nothing": (frame(MORE, b"{}"), 1002),
    "a text within a text": (frame(0x01, b"{") + frame(TEXT, b"}"), 1002),
    "a text that is not UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "half a character": (frame(0x01, b"\xc3") + frame(MORE, b"x"), 1007),
    "a close code of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close code 0": (frame(CLOSE, struct.pack("!H", 0)), 1002),
    "close code 999": (frame(CLOSE, struct.pack("!H", 999)), 1002),
    "close code 1005": (frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "close code 1006": (frame(CLOSE, struct.pack("!H", 1006)), 1002),
    "close code 1015": (frame(CLOSE, struct.pack("!H", 1015)), 1002),
    "close code 2999": (frame(CLOSE, struct.pack("!H", 2999)), 1002),
    "close code 5000": (frame(CLOSE, struct.pack("!H", 5000)), 1002),
    "a close reason that is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
}


@pytest.mark.parametrize("name", INVALID)
async def test_an_invalid_frame_closes_with_its_code(ada: Client, name: str) -> None:
    sent, code = INVALID[name]
    reader, writer = await opened(ada)
    writer.write(sent)
    received = await asyncio.wait_for(reader.read(), 10)  # until the server closes
    writer.close()
    assert received[0] == CLOSE
    assert struct.unpack("!H", received[2:4]) == (code,)


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 3000, 4999])
async def test_a_valid_close_is_echoed(ada: Client, code: int) -> None:
    reader, writer = await opened(ada)
    writer.write(frame(CLOSE, struct.pack("!H", code) + "Schluß".encode()))
    assert await asyncio.wait_for(reader.readexactly(4), 10) == frame(
        CLOSE, struct.pack("!H", code), is_masked=False
    )
    writer.close()


async def test_valid_frames(ada: Client) -> None:
    """A text in fragments with a ping between them, then an empty close."""
    reader, writer = await opened(ada)
    writer.write(frame(0x01, b'{"type": ') + frame(PING, b"x" * 125) + frame(MORE, b'"x"}'))
    pong = await asyncio.wait_for(reader.readexactly(127), 10)
    assert pong == frame(0x8A, b"x" * 125, is_masked=False)
    head = await reader.readexactly(4)
    assert head[:2] == b"\x81\x7e"
    assert b"type: expected one of" in await reader.readexactly(struct.unpack("!H", head[2:])[0])
    writer.write(frame(CLOSE))
    assert (await asyncio.wait_for(reader.read(), 10))[0] == CLOSE
    writer.close()
