"""The WebSocket: contract section 7, docs/security.md, "The socket"."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from services.frames import Frame
from storage import sessions
from tests.conftest import Client, Clock
from tests.handlers.test_messages import check_turn


async def test_a_frame_as_the_reference_prints_it(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await socket.send(
        "message",
        chat_id=chat,
        content="Hello, world!",
        sender="user",
        timestamp="2023-04-01T12:00:00Z",
    )
    await socket.reply()
    check_turn(socket.frames, "Hello, world!")
    echo = socket.frames[0]
    assert list(echo) == ["type", "data", "seq"]
    for field in ("chat_id", "content", "sender", "timestamp"):
        assert field in echo["data"]
    assert echo["data"]["timestamp"] != "2023-04-01T12:00:00Z"


async def test_all_sockets_of_a_user_see_the_same_frames(ada: Client, anyone: Client) -> None:
    chat = await ada.chat()
    other_session = await anyone.login("ada@example.com")
    key = (await ada("POST /users/api-key")).body["api_key"]
    by_key = await ada.with_credential(key).socket()
    sockets = [await ada.socket(), await ada.socket(), await other_session.socket(), by_key]
    await sockets[1].send("message", chat_id=chat, content="/lorem 30")
    for socket in sockets:
        await socket.reply()
    await sockets[2].send("read", chat_id=chat)
    for socket in sockets:
        assert (await socket.until("read", sender="user"))["unread_count"] == 0
        assert socket.frames == sockets[0].frames


async def test_typing_is_told_to_the_users_other_sockets_only(ada: Client, bob: Client) -> None:
    chat = await ada.chat()
    typing, watching, stranger = await ada.socket(), await ada.socket(), await bob.socket()
    await typing.send("typing", chat_id=chat, is_typing=False)
    told = await watching.until("typing")
    assert list(told) == ["chat_id", "content", "sender", "timestamp", "is_typing"]
    assert (told["content"], told["sender"], told["is_typing"]) == ("", "user", False)
    for socket in (typing, stranger):
        await socket.send("typing", chat_id="none")
        assert (await socket.next() or {})["type"] == "error"


async def test_rest_and_socket_are_doors_to_one_path(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    stream = await ada.say(chat, "Hello")
    await socket.reply()
    assert socket.frames == stream


async def test_a_socket_that_joins_in_the_middle(ada: Client) -> None:
    chat = await ada.chat()
    first = await ada.socket()
    await first.send("message", chat_id=chat, content="/slow 50")
    await first.until("typing", offset=4)
    late = await ada.socket()
    frame = await late.next()
    assert frame is not None
    assert (frame["type"], frame["data"]["offset"]) == ("typing", 0)
    assert frame["data"]["delta"].startswith("This is")
    await ada("POST /chats/{id}/stop", id=chat)
    final = await late.reply()
    assert "".join(f["data"]["delta"] for f in late.frames[:-1]) == final["content"]


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("nonsense", "invalid_request", "The frame is not valid JSON"),
        ("[]", "invalid_request", "The frame must be a JSON object."),
        ("", "invalid_request", "The frame is empty"),
        ('{"type": "chat", "data": {}}', "invalid_request", "type: expected one of message"),
        ('{"type": {}, "data": {}}', "invalid_request", "type: expected one of message"),
        ('{"data": {}}', "invalid_request", "type: expected one of message"),
        ('{"type": "message"}', "invalid_request", "data: null, expected an object"),
        ('{"type": "message", "data": []}', "invalid_request", "data: a list, expected an object"),
        ('{"type": "message", "data": {"chat_id": "c"}}', "invalid_request", "content: is required"),
        ('{"type": "read", "data": {"chat_id": 1}}', "invalid_request", "chat_id: a number"),
        ('{"type": "typing", "data": {"chat_id": "c", "is_typing": 1}}', "invalid_request", "is_ty"),
        ('{"type": "typing", "data": {"chat_id": "c"}}', "not_found", "There is no such chat."),
        ('{"type": "read", "data": {"chat_id": "c"}}', "not_found", "There is no such chat."),
        ('{"type": "message", "data": {"chat_id": "c", "content": "x"}}', "not_found", "no such"),
        ('{"type": "message", "data": {"a": ' + "[" * 5000 + "]" * 5000 + "}}", "invalid_request",
         "nested"),
    ],
)  # fmt: skip
async def test_bad_frames_get_an_error_and_the_socket_lives(
    ada: Client, text: str, code: str, details: str
) -> None:
    socket = await ada.socket()
    await socket.connection.write_message(text)
    error = await socket.until("error")
    assert error["code"] == code
    assert details in error["details"]
    await socket.send("message", chat_id=await ada.chat(), content="Still here?")
    assert (await socket.reply())["status"] == "complete"


async def test_an_error_names_the_frame_that_it_answers(ada: Client) -> None:
    socket = await ada.socket()
    await socket.send("message", chat_id="chat_none", content="x", client_id="mine")
    error = await socket.until("error")
    assert (error["chat_id"], error["client_id"]) == ("chat_none", "mine")


async def test_read_of_another_chats_message(ada: Client) -> None:
    one, other = await ada.chat(), await ada.chat()
    message = (await ada.say(one, "x"))[0]["data"]["id"]
    socket = await ada.socket()
    await socket.send("read", chat_id=other, message_id=message)
    assert (await socket.until("error"))["code"] == "not_found"


async def test_client_id_over_the_socket(ada: Client) -> None:
    chat = await ada.chat()
    socket, other = await ada.socket(), await ada.socket()
    for _ in range(2):
        await socket.send("message", chat_id=chat, content="once", client_id="a")
    first = await socket.until("message", sender="user")
    again = await socket.until("message", sender="user")
    assert first == again
    await socket.send("message", chat_id=chat, content="other", client_id="a")
    assert (await socket.until("error"))["code"] == "conflict"
    await other.reply()
    assert [f["data"]["sender"] for f in other.frames if f["type"] == "message"].count("user") == 1
    total = (await ada("GET /chats/{id}/messages", id=chat)).body["pagination"]["total"]
    assert total == 2


@pytest.mark.parametrize("credential", ["nonsense", "qk_nonsense", ""])
async def test_a_refused_token_is_told_over_the_socket(ada: Client, credential: str) -> None:
    socket = await ada.socket(credential)
    code = "invalid_token" if credential else "unauthorized"
    assert (await socket.until("error"))["code"] == code
    assert await socket.closed() == 4401
    assert socket.connection.close_reason == "invalid_token"


async def test_an_expired_token_is_told_apart(ada: Client, clock: Clock) -> None:
    clock.advance(901)
    socket = await ada.socket()
    assert (await socket.until("error"))["code"] == "token_expired"
    assert await socket.closed() == 4401
    assert socket.connection.close_reason == "token_expired"


async def test_a_socket_outlives_its_access_token(ada: Client, clock: Clock) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    clock.advance(3600)
    await socket.send("message", chat_id=chat, content="Hello")
    assert (await socket.reply())["status"] == "complete"


async def test_a_session_that_ends_behind_the_servers_back(ada: Client, rooms: Any) -> None:
    socket = await ada.socket()
    await rooms.db.write(sessions.delete_of_user, 1)
    await socket.send("typing", chat_id="chat_1")
    assert await socket.closed() == 4401


async def test_the_token_in_a_header(ada: Client) -> None:
    socket = await ada.socket("", Authorization=f"Bearer {ada.credential}")
    await socket.send("typing", chat_id="none")
    assert (await socket.until("error"))["code"] == "not_found"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost@evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "evil.example"},
    ],
)
async def test_refused_before_the_handshake(ada: Client, headers: dict[str, str]) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await ada.socket(**headers)
    assert refused.value.code == 403


async def test_not_a_websocket(ada: Client) -> None:
    answer = await ada("GET /ws", query={"token": ada.credential})
    assert answer.error == "400 invalid_request"


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"Connection": "keep-alive"}, "This is a WebSocket."),
        ({"Upgrade": "h2c"}, "This is a WebSocket."),
        ({"Sec-WebSocket-Version": "8"}, "Sec-WebSocket-Version: expected 13"),
        ({"Sec-WebSocket-Version": None}, "Sec-WebSocket-Version: expected 13"),
        ({"Sec-WebSocket-Key": None}, "Sec-WebSocket-Key: expected 16 bytes"),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, "Sec-WebSocket-Key: expected 16 bytes"),
        ({"Sec-WebSocket-Key": "ä"}, "Sec-WebSocket-Key: expected 16 bytes"),
    ],
)
async def test_a_handshake_that_fails_is_refused_in_the_envelope(
    ada: Client, change: dict[str, str | None], details: str
) -> None:
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **change,
    }
    sent = {name: value for name, value in headers.items() if value is not None}
    answer = await ada("GET /ws", query={"token": ada.credential}, headers=sent)
    assert answer.error == "400 invalid_request"
    assert answer.details.startswith(details)
    assert answer.headers["Sec-WebSocket-Version"] == "13"


async def test_the_token_in_a_subprotocol(ada: Client) -> None:
    offered = f"quillium.v1, bearer.{ada.credential}"
    socket = await ada.socket("", **{"Sec-WebSocket-Protocol": offered})
    assert socket.connection.selected_subprotocol == "quillium.v1"
    await socket.send("typing", chat_id="none")
    assert (await socket.until("error"))["code"] == "not_found"
    other = await ada.socket(**{"Sec-WebSocket-Protocol": "graphql-ws"})
    assert other.connection.selected_subprotocol is None
    assert "Sec-WebSocket-Protocol" not in (other.connection.headers or {})
    refused = await ada.socket("", **{"Sec-WebSocket-Protocol": "quillium.v1, bearer.nonsense"})
    assert await refused.closed() == 4401


async def test_binary_closes_with_1003(ada: Client) -> None:
    socket = await ada.socket()
    await socket.connection.write_message(b"{}", binary=True)
    assert await socket.closed() == 1003


async def test_over_a_mebibyte_closes_with_1009(ada: Client) -> None:
    socket = await ada.socket()
    await socket.connection.write_message("x" * ((1 << 20) + 1))
    assert await socket.closed() == 1009


async def test_the_twenty_first_socket_closes_the_oldest(ada: Client) -> None:
    sockets = [await ada.socket() for _ in range(21)]
    assert await sockets[0].closed() == 4409
    await sockets[20].send("typing", chat_id=await ada.chat())
    await sockets[1].until("typing")


async def test_signals_have_a_bucket_of_their_own(ada: Client) -> None:
    chat = await ada.chat()
    socket, other = await ada.socket(), await ada.socket()
    for _ in range(601):
        await socket.send("typing", chat_id=chat)
    error = await socket.until("error")
    assert error["code"] == "rate_limited"
    for _ in range(600):
        await other.until("typing", sender="user")
    assert (await ada("GET /users/me")).headers["X-RateLimit-Remaining"] == "96"


async def test_a_slow_reader_is_let_go_and_delays_nobody(
    ada: Client, base_url: str, rooms: Any
) -> None:
    chat = await ada.chat()
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 12)
    writer.write(
        f"GET /api/v1/ws?token={ada.credential} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    healthy = await ada.socket()
    assert len(rooms.connections) == 2
    for _ in range(60):
        await ada("POST /chats/{id}/messages", {"content": "x" * 100_000}, id=chat)
        await healthy.reply()
        if len(rooms.connections) == 1:
            break
    assert len(rooms.connections) == 1
    writer.close()


async def test_an_exception_becomes_an_error_frame(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(rooms.chats, "typing", broken)
    socket = await ada.socket()
    await socket.send("typing", chat_id="chat_1")
    error = await socket.until("error")
    assert error["code"] == "internal_error"
    assert "secret" not in json.dumps(error)
    await socket.send("message", chat_id=await ada.chat(), content="Still here?")
    await socket.reply()


async def test_frames_of_all_lengths_arrive_whole_and_in_order(ada: Client, rooms: Any) -> None:
    """Those of one round of the loop are written at once; lengths are told in three forms."""
    user = rooms.accounts.authenticate(ada.credential).user
    socket = await ada.socket()
    error = {"code": "a_code", "message": "m"}
    rest = len(Frame("error", {**error, "details": ""}).encoded)
    lengths = [125, 126, 65_535, 65_536, rest, 1 << 20, 127]
    sent = [Frame("error", {**error, "details": "x" * (length - rest)}) for length in lengths]
    assert [len(frame.encoded) for frame in sent] == lengths
    for frame in sent:
        rooms.connections.publish(user.id, frame)
    received = [await socket.next() for _ in sent]
    assert [json.loads(frame.encoded) for frame in sent] == received
