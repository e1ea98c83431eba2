"""Chats in storage: listing, read state, and access control."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import NotFound
from core.records import User
from storage import chats, messages, turns
from storage.connection import Connection
from tests.storage.facts import LATER, NOW, chat, message, say, user


def listed(connection: Connection, owner: User, limit: int = 20, offset: int = 0) -> list[Any]:
    page = chats.page(connection, owner.row_id, limit, offset)
    return [chat["id"] for chat in json.loads(f"[{page.items}]")]


def test_the_list_begins_with_the_chat_that_changed_last(
    connection: Connection, owner: User
) -> None:
    for number in range(3):
        chat(connection, owner, f"chat_{number}")
    chats.update(connection, owner.row_id, "chat_0", {"title": "New"}, LATER)
    assert listed(connection, owner) == ["chat_0", "chat_2", "chat_1"]
    assert listed(connection, owner, 1, 1) == ["chat_2"]
    assert listed(connection, owner, 10, 5) == []


def test_another_users_chat_is_not_there(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    bob = user(connection, "bob")
    for attempt in (
        lambda: chats.find(connection, bob.row_id, "chat_1"),
        lambda: chats.check(connection, bob.row_id, "chat_1"),
        lambda: chats.own_model(connection, bob.row_id, "chat_1"),
        lambda: chats.update(connection, bob.row_id, "chat_1", {"title": "x"}, NOW),
        lambda: chats.delete(connection, bob.row_id, "chat_1"),
        lambda: chats.mark_read(connection, bob.row_id, "chat_1", None, NOW),
        lambda: messages.page(connection, bob.row_id, "chat_1", 20, 0, False),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert listed(connection, bob) == []
    assert chats.find(connection, owner.row_id, "chat_1").title == "Title"


def test_a_deleted_chat_takes_its_messages_and_leaves_its_number(
    connection: Connection, owner: User
) -> None:
    chat(connection, owner)
    say(connection, owner, "Hello")
    change = chats.delete(connection, owner.row_id, "chat_1").change
    assert change.public() == {"id": "chat_1", "deleted": True}
    assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 0
    assert connection.execute("SELECT seq FROM chat_changes").fetchone()[0] == change.seq
    assert chats.model_of(connection, "chat_1") == ""


def test_what_was_read_stays_read(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    assert chats.mark_read(connection, owner.row_id, "chat_1", None, NOW) is None
    first, second = say(connection, owner, "One"), say(connection, owner, "Two")
    mark = chats.mark_read(connection, owner.row_id, "chat_1", second.id, NOW)
    assert mark is not None
    assert mark.message_id == second.id
    back = chats.mark_read(connection, owner.row_id, "chat_1", first.id, LATER)
    assert back is not None
    assert back.message_id == second.id  # the furthest one
    with pytest.raises(NotFound):
        chats.mark_read(connection, owner.row_id, "chat_1", "msg_none", NOW)


def test_replies_are_unread_until_they_are_read(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    stored = turns.add_message(
        connection, owner.row_id, message(), reply=turns.NewReply("msg_r", "m")
    )
    assert stored.begun is not None
    reply = stored.begun.message
    assert (
        chats.find(connection, owner.row_id, "chat_1").unread_count == 0
    )  # not while it is written
    turns.end_reply(connection, reply.__class__(**{**vars(reply), "status": "complete"}))
    assert chats.find(connection, owner.row_id, "chat_1").unread_count == 1
    mark = chats.mark_read(connection, owner.row_id, "chat_1", None, NOW)
    assert mark is not None
    assert mark.unread_count == 0
