"""The registry of sockets: one that fails harms no other."""

from __future__ import annotations

from typing import Any

import pytest

from core.records import Caller, User
from services import frames
from services.connections import Close, ConnectionRegistry
from services.subscriptions import Sources, Subscription
from tests.conftest import Client

ADA = User(1, "user_1", "ada@example.com", "Ada", True, "now", "now")


class Recorder:
    """A socket that notes what it is sent; `failures` are how many sends fail first."""

    def __init__(self, user: User = ADA, failures: int = 0) -> None:
        self.caller = Caller(user)
        self.is_busy = False
        self.sent: list[bytes] = []
        self.closed_with: int | None = None
        self._failures = failures

    def send(self, encoded: bytes) -> None:
        if self._failures:
            self._failures -= 1
            raise ValueError("planted")
        self.sent.append(encoded)

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self.closed_with = code


def subscribed(connections: ConnectionRegistry, socket: Recorder) -> Recorder:
    sources = Sources(missed=lambda after: [], streamed_replies=list)
    connections.add(Subscription(socket, sources, None, receives_chats=True))
    return socket


def test_a_socket_that_fails_is_dropped_and_the_others_get_their_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connections = ConnectionRegistry()
    sockets = [subscribed(connections, Recorder(failures=n == 1)) for n in range(3)]
    for _ in range(2):
        connections.publish(ADA.id, frames.typing("chat_1", True, "now"))
    assert [len(socket.sent) for socket in sockets] == [2, 0, 2]
    assert [socket.closed_with for socket in sockets] == [None, Close.INTERNAL_ERROR, None]
    assert len(connections) == 2
    assert "planted" in caplog.text


@pytest.mark.parametrize("failing", ["the socket", "the registry"])
async def test_a_listener_that_raises_strands_no_chat(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The message is stored, so it is acknowledged, published to the others and answered."""
    user = rooms.accounts.authenticate(ada.credential).user
    socket, chat = await ada.socket(), await ada.chat()
    await ada("GET /users/me")  # the socket has joined by now
    if failing == "the socket":
        subscribed(rooms.connections, Recorder(user, failures=1))
    else:
        publish, failures = rooms.connections.publish, [ValueError("planted")]

        def fail_once(*arguments: Any, **more: Any) -> None:
            if failures:
                raise failures.pop()
            publish(*arguments, **more)

        monkeypatch.setattr(rooms.connections, "publish", fail_once)
    answer = await ada("POST /chats/{id}/messages", {"content": "Hello"}, id=chat)
    assert answer.status == 201
    assert (await socket.reply())["status"] == "complete"
    await ada("POST /chats/{id}/messages", {"content": "And now?"}, id=chat)
    assert (await socket.reply())["status"] == "complete"
    listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    assert [(m["sender"], m["status"]) for m in listed] == [
        ("user", "complete"),
        ("assistant", "complete"),
    ] * 2
