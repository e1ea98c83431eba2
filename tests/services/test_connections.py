"""The connection registry: a failing socket does not affect the others."""

from __future__ import annotations

from typing import Any

import pytest

from services import frames
from services.connections import Close, ConnectionRegistry
from tests.conftest import Client
from tests.services.sockets import ADA, FakeSocket, subscribed


def test_a_socket_that_fails_is_dropped_and_the_others_get_their_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connections = ConnectionRegistry()
    sockets = [subscribed(connections, FakeSocket(failures=n == 1)) for n in range(3)]
    for _ in range(2):
        connections.publish(ADA.id, frames.typing("chat_1", True, "now"))
    assert [len(socket.frames) for socket in sockets] == [2, 0, 2]
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
        subscribed(rooms.connections, FakeSocket(user, failures=1))
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
