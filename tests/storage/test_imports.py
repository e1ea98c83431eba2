"""Imports in storage: hidden until they are complete."""

from __future__ import annotations

import json

import pytest

from core.errors import Conflict, NotFound
from core.records import Message, Sender, User
from storage import chats, hidden_chats, imports
from storage.connection import Connection
from tests.storage.facts import LATER, NOW

NEW = chats.NewChat("chat_i", "Imported", True, "m", NOW, "Be brief.", "{}")


def said(count: int, **fields: str) -> list[Message]:
    senders: tuple[Sender, ...] = ("user", "assistant")
    return [
        Message(0, f"msg_{n}", "chat_i", f"{n}", senders[n % 2], NOW, "complete", None, None)
        for n in range(count)
    ]


def test_it_is_read_and_keeps_its_times(connection: Connection, owner: User) -> None:
    chat, change = imports.add(connection, owner.row_id, NEW, LATER, said(2))
    assert change is not None
    assert change.chat == chat
    assert (chat.created_at, chat.updated_at) == (NOW, LATER)
    assert (chat.unread_count, chat.message_count) == (0, 2)
    assert chat.system_prompt == "Be brief."


def test_a_client_id_is_stored_once(connection: Connection, owner: User) -> None:
    new = NEW._replace(client_id="a")
    first = imports.add(connection, owner.row_id, new, LATER, said(2))
    assert imports.add(connection, owner.row_id, new, LATER, said(3)) == (first.chat, None)
    # One that was begun at the same time ends later.
    other = new._replace(id="chat_other")
    hidden = imports.begin(connection, owner.row_id, other._replace(client_id=None))
    assert imports.finish(connection, owner.row_id, hidden, other, LATER) == (first.chat, None)
    assert hidden_chats.of(connection, owner.row_id) == {hidden}


def test_one_client_id_twice_is_refused(connection: Connection, owner: User) -> None:
    twice = [
        Message(0, f"msg_{n}", "chat_i", "x", "user", NOW, "complete", None, "same") for n in (1, 2)
    ]
    with pytest.raises(Conflict, match="client_id"):
        imports.add(connection, owner.row_id, NEW, LATER, twice)


def test_a_slice_ends_by_time_and_stores_at_least_one(
    connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = imports.begin(connection, owner.row_id, NEW)
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)
    assert imports.append(connection, owner.row_id, chat, said(4), 0) == 1
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 60.0)
    assert imports.append(connection, owner.row_id, chat, said(4), 1) == 4
    page = chats.page(connection, owner.row_id, 20, 0)
    assert (page.items, page.total) == ("", 0)
    imports.finish(connection, owner.row_id, chat, NEW, LATER)
    page = chats.page(connection, owner.row_id, 20, 0)
    assert page.total == 1
    assert json.loads(page.items)["message_count"] == 4


def test_a_chat_that_went_meanwhile(connection: Connection, owner: User) -> None:
    chat = imports.begin(connection, owner.row_id, NEW)
    connection.execute("DELETE FROM users")
    with pytest.raises(NotFound):
        imports.append(connection, owner.row_id, chat, said(1), 0)
