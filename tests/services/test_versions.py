"""Deleting messages: in slices, each of which is published."""

from __future__ import annotations

from typing import Any

import pytest

from core.documents import encoded
from core.errors import NotFound
from core.records import User
from storage import hidden_chats, messages
from tests.services.exports import exported, message
from tests.services.sockets import FakeSocket, subscribed


async def test_a_long_tail_is_hidden_at_once_and_deleted_in_slices(
    rooms: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = subscribed(rooms.connections, FakeSocket(user))
    chat = (
        await rooms.imports.run(user, encoded(exported(*(message(f"{n}") for n in range(5)))))
    ).chat
    first, second, *_ = rooms.db.read(messages.everything, chat.row_id)
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", -1.0)
    await rooms.versions.delete(user, chat.id, second.id)
    told = [frame["data"]["leaf_id"] for frame in socket.frames[1:]]
    assert told == [first.id] * 4
    assert [m.id for m in rooms.db.read(messages.everything, chat.row_id)] == [first.id]
    with pytest.raises(NotFound):
        await rooms.versions.delete(user, chat.id, second.id)
