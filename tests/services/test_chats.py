"""Chats: defaults, frames to each device, deletions, and exports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.documents import encoded
from core.errors import NotFound
from core.records import User
from core.times import rfc3339
from services.chats import markdown
from storage import chats as stored
from storage import hidden_chats, messages
from tests.conftest import Clock
from tests.services.exports import TIME, exported, linked, message
from tests.services.sockets import FakeSocket, subscribed


@pytest.fixture
def socket(rooms: Any, user: User) -> FakeSocket:
    return subscribed(rooms.connections, FakeSocket(user))


def types(socket: FakeSocket) -> list[str]:
    return [frame["type"] for frame in socket.frames]


async def test_a_chat_has_defaults(rooms: Any, user: User) -> None:
    chat = (await rooms.chats.create(user)).chat
    assert (chat.title, chat.model) == ("New Conversation", "quillium-demo")
    assert (chat.system_prompt, chat.parameters) == (None, "{}")
    chosen = (await rooms.chats.create(user, "T", "m", "Be brief.", {"seed": 1})).chat
    assert (chosen.title, chosen.model, chosen.system_prompt) == ("T", "m", "Be brief.")
    assert json.loads(chosen.parameters) == {"seed": 1}


async def test_the_default_model_is_the_users_then_the_admins(rooms: Any, user: User) -> None:
    await rooms.settings.update_of_admin({"default_model": "nobody serves this"})
    assert rooms.chats.default_model(user) == "quillium-demo"
    await rooms.settings.update_of_user(user, {"default_model": "mine"})
    assert rooms.chats.default_model(user) == "mine"


async def test_a_change_reaches_the_sockets(
    rooms: Any, user: User, other: User, socket: FakeSocket, clock: Clock
) -> None:
    chat = (await rooms.chats.create(user, "Old", None, "Be brief.")).chat
    clock.advance(1)
    changed = await rooms.chats.update(user, chat.id, {"title": "New", "parameters": {"seed": 1}})
    assert (changed.title, changed.system_prompt) == ("New", "Be brief.")
    assert json.loads(changed.parameters) == {"seed": 1}
    assert changed.updated_at == rfc3339(clock())
    assert (await rooms.chats.update(user, chat.id, {"system_prompt": ""})).system_prompt is None
    assert types(socket) == ["chat"] * 3
    assert socket.frames[1]["data"]["title"] == "New"
    with pytest.raises(NotFound):
        await rooms.chats.update(other, chat.id, {"title": "x"})


async def test_a_deleted_chat_is_gone(
    rooms: Any, user: User, other: User, socket: FakeSocket
) -> None:
    chat = (await rooms.chats.create(user)).chat
    with pytest.raises(NotFound):
        await rooms.chats.delete(other, chat.id)
    await rooms.chats.delete(user, chat.id)
    assert socket.frames[-1]["data"]["deleted"] is True
    with pytest.raises(NotFound):
        rooms.db.read(stored.find, user.row_id, chat.id)


async def test_a_large_chat_is_gone_at_once_and_removed_in_slices(
    rooms: Any, user: User, socket: FakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [message(f"word {number}") for number in range(5)]
    chat = (await rooms.imports.run(user, encoded(exported(*said)))).chat
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)
    await rooms.chats.delete(user, chat.id)
    assert socket.frames[-1]["data"] == {"id": chat.id, "deleted": True}
    with pytest.raises(NotFound):
        rooms.db.read(stored.find, user.row_id, chat.id)
    assert rooms.db.read(stored.find_with, user.row_id, "word", 10, 0).total == 0
    await rooms.removal.finished()
    assert rooms.db.read(hidden_chats.everything) == []
    assert rooms.db.read(messages.everything, chat.row_id) == []


async def test_typing_is_told_to_the_others(
    rooms: Any, user: User, other: User, socket: FakeSocket
) -> None:
    chat = (await rooms.chats.create(user)).chat
    rooms.chats.typing(user, chat.id, True, None)
    assert types(socket) == ["chat", "typing"]
    with pytest.raises(NotFound):
        rooms.chats.typing(other, chat.id, True, None)


async def test_what_was_read_is_told_where_there_is_anything(
    rooms: Any, user: User, socket: FakeSocket
) -> None:
    chat = (await rooms.imports.run(user, encoded(exported()))).chat
    await rooms.chats.read(user, chat.id, None)
    assert types(socket) == ["chat", "read"]
    empty = (await rooms.chats.create(user)).chat
    await rooms.chats.read(user, empty.id, None)
    assert types(socket) == ["chat", "read", "chat"]
    with pytest.raises(NotFound):
        await rooms.chats.read(user, "chat_none", None)


def test_markdown_is_for_people() -> None:
    said = [
        message("```\ncode", model=None, attachments=[{"name": "a_b.txt"}]),
        message("Hi", "assistant", model="m", attachments=[]),
    ]
    assert markdown(linked(*said)) == (
        f"# Title\n\n**You**, {TIME}\n\n```\ncode\n```\n\nAttached: a\\_b.txt\n\n"
        f"**Assistant** (m), {TIME}\n\nHi\n"
    )


def test_a_title_is_no_markdown() -> None:
    export = linked(message("Hi", model=None, attachments=[]))
    export["chat"]["title"] = "C# *and*\n# [more](x)"
    assert markdown(export).startswith("# C\\# \\*and\\* \\# \\[more\\](x)\n\n")
