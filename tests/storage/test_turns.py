"""Turns in storage: one reply at a time, ordered by when messages are finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
from core.records import User
from storage import chats, messages, turns
from storage.connection import Connection
from storage.turns import NewReply
from tests.storage.facts import LATER, NOW, chat, message, say, user

REPLY = NewReply("msg_reply", "m")


def listed(connection: Connection) -> list[tuple[str, str]]:
    found = connection.execute("SELECT number FROM chats").fetchone()[0]
    return [(m.content, m.status) for m in messages.everything(connection, found)]


def begun(connection: Connection, owner: User, content: str = "Hello") -> turns.Begun:
    stored = turns.add_message(connection, owner.row_id, message(content), reply=REPLY)
    assert stored.begun is not None
    return stored.begun


def test_a_reply_begins_with_the_message_that_it_answers(
    connection: Connection, owner: User
) -> None:
    chat(connection, owner)
    reply = begun(connection, owner)
    assert reply.message.status == "streaming"
    assert reply.answers.content == "Hello"
    assert reply.read.sender == "assistant"
    assert turns.is_streaming(connection, REPLY.id)
    assert listed(connection) == [("Hello", "complete"), ("", "streaming")]


def test_only_one_reply_is_written_at_a_time(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    begun(connection, owner)
    second = turns.add_message(
        connection, owner.row_id, message("More"), reply=NewReply("msg_2", "m")
    )
    assert second.begun is None
    assert turns.begin_reply(connection, "chat_1", NewReply("msg_3", "m"), NOW) is None
    assert [content for content, _ in listed(connection)] == ["Hello", "More", ""]


def test_the_same_client_id_stores_nothing_twice(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    first = turns.add_message(connection, owner.row_id, message("One", client_id="c"))
    again = turns.add_message(connection, owner.row_id, message("One", client_id="c"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.message.id == first.message.id
    with pytest.raises(Conflict):
        turns.add_message(connection, owner.row_id, message("Other", client_id="c"))
    assert len(listed(connection)) == 1


def test_a_chat_of_another_user_is_not_there(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    bob = user(connection, "bob")
    with pytest.raises(NotFound):
        turns.add_message(connection, bob.row_id, message())
    with pytest.raises(NotFound):
        turns.regenerate(connection, bob.row_id, "chat_1", REPLY, NOW)


def test_an_untitled_chat_takes_the_opening_words_once(connection: Connection, owner: User) -> None:
    new = chats.NewChat("chat_1", "New Conversation", False, "m", NOW, None, "{}")
    chats.add(connection, owner.row_id, new)
    first = turns.add_message(connection, owner.row_id, message(), "Hello")
    second = turns.add_message(connection, owner.row_id, message(), "Again")
    assert first.change is not None
    assert second.change is None
    assert chats.find(connection, owner.row_id, "chat_1").title == "Hello"


def test_a_reply_ends_with_all_that_is_known_of_it(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    reply = begun(connection, owner).message
    turns.checkpoint(connection, reply.id, "Hal", None)
    assert listed(connection)[-1] == ("Hal", "streaming")
    ended = replace(
        reply, content="Half", status="complete", finish_reason="length", timestamp=LATER
    )
    stored = turns.end_reply(connection, ended)
    assert stored is not None
    assert stored.seq > 0
    (_, last) = messages.everything(connection, chats.check(connection, owner.row_id, "chat_1"))
    assert (last.content, last.finish_reason, last.timestamp) == ("Half", "length", LATER)
    assert not turns.is_streaming(connection, reply.id)
    turns.checkpoint(connection, reply.id, "too late", None)
    assert listed(connection)[-1] == ("Half", "complete")


def test_the_reply_of_a_deleted_chat_has_no_end(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    reply = begun(connection, owner).message
    chats.delete(connection, owner.row_id, "chat_1")
    assert turns.end_reply(connection, replace(reply, status="complete")) is None
    assert turns.begin_reply(connection, "chat_1", REPLY, NOW) is None


def test_a_crash_leaves_interrupted_replies_with_their_text(
    connection: Connection, owner: User
) -> None:
    chat(connection, owner)
    reply = begun(connection, owner).message
    turns.checkpoint(connection, reply.id, "Hal", "thought")
    turns.interrupt_all(connection)
    assert listed(connection)[-1] == ("Hal", "interrupted")
    (_, last) = messages.everything(connection, 1)
    assert last.reasoning == "thought"
    assert last.seq > reply.seq


def test_regenerating_keeps_the_old_reply_as_a_version(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    with pytest.raises(Conflict, match="no message yet"):
        turns.regenerate(connection, owner.row_id, "chat_1", REPLY, NOW)
    reply = begun(connection, owner).message
    with pytest.raises(Conflict, match="still being written"):
        turns.regenerate(connection, owner.row_id, "chat_1", REPLY, NOW)
    turns.end_reply(connection, replace(reply, content="Old", status="failed", error={"code": "x"}))
    again = turns.regenerate(connection, owner.row_id, "chat_1", NewReply("msg_new", "n"), LATER)
    assert again.message.id == "msg_new"
    assert again.change is not None
    assert again.change.public()["leaf_id"] == "msg_new"
    (_, old, last) = messages.everything(connection, 1)
    assert (old.id, old.content, old.version, old.version_count) == (reply.id, "Old", 1, 2)
    assert (last.content, last.status, last.error, last.model) == ("", "streaming", None, "n")
    assert (last.version, last.version_count) == (2, 2)


def test_a_reply_that_never_came_is_given(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    say(connection, owner, "Hello")
    again = turns.regenerate(connection, owner.row_id, "chat_1", REPLY, NOW)
    assert again.message.id == REPLY.id


def test_history_has_each_reply_after_what_it_answers(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    reply = begun(connection, owner, "First").message
    say(connection, owner, "Meanwhile")  # listed before the reply, answered after it
    turns.end_reply(connection, replace(reply, content="Answer", status="complete"))
    last = say(connection, owner, "Last")
    history = turns.history_until(connection, last, 1_000, 50)
    assert history == [
        turns.PastMessage("user", "First"),
        turns.PastMessage("assistant", "Answer"),
        turns.PastMessage("user", "Meanwhile"),
        turns.PastMessage("user", "Last"),
    ]
    assert turns.history_until(connection, last, 5, 50) == history[1::2]
    assert turns.history_until(connection, last, 1_000, 3) is None  # a longer read is needed
    assert turns.history_until(connection, last, 1_000, turns.MAX_HISTORY) == history


def test_the_reply_to_a_message_is_found(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    asked = begun(connection, owner)
    turns.end_reply(connection, replace(asked.message, content="A", status="complete"))
    found = turns.reply_to(connection, asked.answers)
    assert found is not None
    assert found.id == asked.message.id
    assert turns.reply_to(connection, say(connection, owner, "unanswered")) is None
