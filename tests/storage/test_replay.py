"""Replaying missed frames: in order, once, in batches, or `resync_required`."""

from __future__ import annotations

import pytest

from core.errors import ResyncRequired
from core.records import ChatChange, Message, ReadMark, User
from storage import chats, replay
from storage.connection import Connection
from tests.storage.facts import LATER, NOW, chat, say, user


def seq(connection: Connection, owner: User) -> int:
    found: int = connection.execute(
        "SELECT seq FROM users WHERE number = ?", (owner.row_id,)
    ).fetchone()[0]
    return found


def test_facts_come_in_the_order_of_their_numbers(connection: Connection, owner: User) -> None:
    start = seq(connection, owner)
    chat(connection, owner)
    said = say(connection, owner, "Hello")
    chats.mark_read(connection, owner.row_id, "chat_1", said.id, NOW)
    missed = replay.missed(connection, owner.row_id, start)
    assert [type(fact) for fact in missed] == [ChatChange, Message, ReadMark]
    numbers = [fact.seq for fact in missed]
    assert numbers == sorted(set(numbers))
    assert replay.missed(connection, owner.row_id, numbers[0]) == missed[1:]
    assert replay.missed(connection, owner.row_id, numbers[-1]) == []


def test_a_later_fact_replaces_an_earlier_one(connection: Connection, owner: User) -> None:
    start = seq(connection, owner)
    chat(connection, owner)
    chats.update(connection, owner.row_id, "chat_1", {"title": "Second"}, LATER)
    chats.delete(connection, owner.row_id, "chat_1")
    (change,) = replay.missed(connection, owner.row_id, start)
    assert isinstance(change, ChatChange)
    assert change.chat is None


def test_nobody_sees_what_another_user_missed(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    chat(connection, owner)
    say(connection, owner, "secret")
    assert replay.missed(connection, bob.row_id, 0) == []


def test_long_texts_come_in_pieces(connection: Connection, owner: User) -> None:
    start = seq(connection, owner)
    chat(connection, owner)
    for _ in range(5):
        say(connection, owner, "x" * 100_000)
    first = replay.missed(connection, owner.row_id, start)
    assert 1 < len(first) < 6
    rest = replay.missed(connection, owner.row_id, first[-1].seq)
    assert len(first) + len(rest) == 6


@pytest.mark.parametrize("after", [-1, 10**14])
def test_a_number_of_other_data_asks_for_a_resync(
    connection: Connection, owner: User, after: int
) -> None:
    with pytest.raises(ResyncRequired, match="does not belong to the server"):
        replay.check(connection, owner.row_id, after)


def test_too_much_asks_for_a_resync(
    connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MAX_MISSED", 2)
    start = seq(connection, owner)
    chat(connection, owner)
    say(connection, owner, "one")
    replay.check(connection, owner.row_id, start)
    say(connection, owner, "two")
    with pytest.raises(ResyncRequired, match="More than 2"):
        replay.check(connection, owner.row_id, start)
