"""Black-box tests of docs/security.md, "The socket": bounded memory, isolated users."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import selectors
import socket as sockets
import string
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.security.conftest import Target

MIB = 1 << 20


@pytest.fixture(scope="module")
def token(target: Target) -> str:
    made: str = target.register("ada@example.com")["access_token"]
    return made


@pytest.fixture(scope="module")
def chat(target: Target, token: str) -> str:
    made: str = target.api("POST", "/chats", {"title": "x"}, token).body["id"]
    return made


def lives(socket: ClientConnection) -> bool:
    """Whether all that was sent was taken, and a ping after it is answered."""
    return socket.ping().wait(timeout=20)


def close_code(socket: ClientConnection) -> int | None:
    with contextlib.suppress(ConnectionClosed):
        for _ in socket:
            pass
    return socket.close_code


FRAMES: dict[str, Any] = {
    "not JSON": "nonsense",
    "nothing": "",
    "a list": "[]",
    "a number": "1",
    "no type": '{"data": {}}',
    "unknown type": '{"type": "admin", "data": {}}',
    "a server's type": '{"type": "chat", "data": {"id": "x", "deleted": true}}',
    "a type that is no text": '{"type": {"a": 1}, "data": {}}',
    "a method's name": '{"type": "__class__", "data": {}}',
    "no data": '{"type": "message"}',
    "data that is no object": '{"type": "message", "data": "x"}',
    "wrong types": '{"type": "message", "data": {"chat_id": 1, "content": []}}',
    "an unknown field": '{"type": "read", "data": {"chat_id": "chat_0", "user_id": "x"}}',
    "an empty content": '{"type": "message", "data": {"chat_id": "chat_0", "content": " "}}',
    "deep": '{"type": "message", "data": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "duplicate keys": '{"type": "read", "type": "message", "data": {}}',
    "a surrogate": '{"type": "message", "data": {"chat_id": "chat_0", "content": "\\ud800"}}',
    "NaN": '{"type": "typing", "data": {"chat_id": "chat_0", "is_typing": NaN}}',
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_is_none_gets_an_error_and_the_socket_lives(
    target: Target, token: str, name: str
) -> None:
    with target.socket(token) as socket:
        socket.send(FRAMES[name])
        error = json.loads(socket.recv(timeout=10))
        assert error["type"] == "error"
        assert error["data"]["code"] == "invalid_request"
        assert lives(socket)


def test_frames_at_random(target: Target) -> None:
    """A thousand frames that are almost right: each gets an error or does what it says."""
    token = target.register("random@example.com")["access_token"]
    chat = target.api("POST", "/chats", {}, token).body["id"]
    choose = random.Random(1)
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "x" * 200,
        chat,
        [],
        {},
        "💥",
        "\u2028",
        10**30,
    ]
    with target.bounded(), target.socket(token) as socket:
        for _ in range(1000):
            names = choose.sample(["chat_id", "content", "client_id", "is_typing", "message_id",
                                   "sender", "timestamp", "z"], choose.randint(0, 5))  # fmt: skip
            data = {name: choose.choice(values) for name in names}
            frame = {"type": choose.choice(["message", "typing", "read", "x"]), "data": data}
            socket.send(json.dumps(frame))
        assert lives(socket)


def test_a_binary_frame_and_one_over_a_mebibyte(target: Target, token: str) -> None:
    with target.socket(token) as socket:
        socket.send(b"\x00\x01")
        assert close_code(socket) == 1003
    with target.bounded(), target.socket(token) as socket:
        socket.send("x" * (MIB + 1))
        assert close_code(socket) == 1009
    with target.socket(token) as socket:
        socket.send(["x" * 100_000] * 11)  # in fragments
        assert close_code(socket) == 1009


def test_frames_that_no_websocket_sends(target: Target, token: str) -> None:
    """Broken framing (RFC 6455, section 5) closes that connection and harms nobody."""
    for broken in (b"\x81\x05hello", b"\xff\xff" * 100, b"\x89\xfe\xff\xff", os.urandom(1000),
                   b"\x88\x81\x00\x00\x00\x00x", b"\x81\xff" + b"\xff" * 8 + b"abcd"):  # fmt: skip
        with target.connection() as connection:
            upgrade(target, connection, token)
            connection.sendall(broken)
            connection.shutdown(sockets.SHUT_WR)
            while connection.recv(65536):
                pass
    with target.socket(token) as socket:
        assert lives(socket)


def upgrade(target: Target, connection: sockets.socket, token: str) -> None:
    """A handshake by hand, for a client that is none."""
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    assert received.startswith(b"HTTP/1.1 101"), received


def masked(payload: bytes) -> bytes:
    """A text frame of at most 125 bytes, with a mask of zeros."""
    return bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload


def test_10_000_frames_as_fast_as_can_be(target: Target) -> None:
    flooder = target.register("flood@example.com")["access_token"]
    chat = target.api("POST", "/chats", {}, flooder).body["id"]
    other = target.register("quiet@example.com")["access_token"]
    typing = masked(json.dumps({"type": "typing", "data": {"chat_id": chat}}).encode())
    with target.bounded(), target.socket(other) as quiet, target.connection() as connection:
        upgrade(target, connection, flooder)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(connection.sendall, typing * 10_000)
            for _ in range(20):  # meanwhile
                assert lives(quiet)
            received = b""
            while received.count(b'"type":') < 9_400:  # the other 600 are told to nobody else
                received += connection.recv(1 << 16)
            sending.result()
    assert received.count(b'"code":"rate_limited"') == 9_400


def test_a_reader_that_never_reads(target: Target) -> None:
    """The bytes that wait for it are bounded, it is let go, and its user's other sockets go on."""
    token = target.register("deaf@example.com")["access_token"]
    chat = target.api("POST", "/chats", {}, token).body["id"]
    text = "".join(random.Random(3).choices(string.ascii_letters, k=99_990))
    with target.connection() as deaf, target.socket(token, max_size=None) as hearing:
        upgrade(target, deaf, token)
        with target.bounded():
            for number in range(100):
                said = {"content": f"{number} {text}"}
                assert target.api("POST", f"/chats/{chat}/messages", said, token).status == 201
            seen = 0
            while seen < 100:
                frame = json.loads(hearing.recv(timeout=20))
                seen += frame["type"] == "message" and frame["data"]["sender"] == "user"
        received = b""
        while piece := deaf.recv(1 << 20):
            received += piece
        assert b"\x03\xf5too slow" in received[-200:]  # 1013
    assert len(received) < 8 * MIB


def test_1000_sockets_opened_at_once(target: Target) -> None:
    tokens = [target.register(f"many{n}@example.com")["access_token"] for n in range(10)]
    with target.bounded():
        connections = [target.connection() for _ in range(1000)]
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda n: upgrade(target, connections[n], tokens[n % 10]), range(1000)))
        with selectors.DefaultSelector() as selector:
            for connection in connections:
                selector.register(connection, selectors.EVENT_READ)
            closed, until = 0, time.monotonic() + 20
            while closed < 800 and time.monotonic() < until:
                for key, _ in selector.select(1):
                    received = key.fileobj.recv(4096)  # type: ignore[union-attr]
                    if b"\x11\x39" in received or not received:  # 4409
                        selector.unregister(key.fileobj)
                        closed += bool(received)
        assert closed == 800  # 20 of each user live on
        with target.socket(tokens[0]) as one_more:
            assert lives(one_more)
        for connection in connections:
            connection.close()


def test_half_open_peers_and_a_close_in_the_middle_of_a_reply(target: Target) -> None:
    token = target.register("gone@example.com")["access_token"]
    chat = target.api("POST", "/chats", {}, token).body["id"]
    path = f"/chats/{chat}/messages"
    with target.connection() as connection:
        upgrade(target, connection, token)
        target.api("POST", path, {"content": "/lorem 2000"}, token)
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    last = target.api("GET", path, token=token).body["data"][-1]
    while last["sender"] == "user" or last["status"] == "streaming":  # it goes on
        last = target.api("GET", path, token=token).body["data"][-1]
    assert last["status"] == "complete"
    assert len(last["content"].split()) == 2000


def test_a_read_for_another_chats_message(target: Target, token: str, chat: str) -> None:
    other = target.api("POST", "/chats", {}, token).body["id"]
    message = target.api("POST", f"/chats/{other}/messages", {"content": "x"}, token).body["id"]
    with target.socket(token) as socket:
        data = {"chat_id": chat, "message_id": message}
        socket.send(json.dumps({"type": "read", "data": data}))
        while (frame := json.loads(socket.recv(timeout=10)))["type"] != "error":
            pass
        assert frame["data"]["code"] == "not_found"
        assert lives(socket)
