"""Hidden chats appear nowhere, and are removed in slices."""

from __future__ import annotations

import pytest

from core.errors import NotFound
from core.records import User
from storage import chats, hidden_chats, replay, turns
from storage.connection import Connection
from tests.storage.facts import NOW, chat, message, say


@pytest.fixture
def large(connection: Connection, owner: User, monkeypatch: pytest.MonkeyPatch) -> int:
    """A chat whose removal takes more than one slice; one of its messages was read."""
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", 0.0)
    chat(connection, owner, title="Large")
    for text in ("One word", "Two words", "Three words"):
        say(connection, owner, text)
    chats.mark_read(connection, owner.row_id, "chat_1", None, NOW)
    return chats.check(connection, owner.row_id, "chat_1")


def counts(connection: Connection) -> tuple[int, int, int]:
    row: tuple[int, int, int] = connection.execute(
        "SELECT (SELECT chat_count FROM users), (SELECT COUNT(*) FROM chats),"
        " (SELECT COUNT(*) FROM messages)"
    ).fetchone()
    return row


def test_a_small_chat_is_removed_at_once(connection: Connection, owner: User) -> None:
    chat(connection, owner)
    say(connection, owner, "Hello")
    assert chats.delete(connection, owner.row_id, "chat_1").hidden is None
    assert counts(connection) == (0, 0, 0)


def test_a_large_chat_is_hidden_first(connection: Connection, owner: User, large: int) -> None:
    before = connection.execute("SELECT seq FROM users").fetchone()[0]
    assert chats.delete(connection, owner.row_id, "chat_1").hidden == large
    assert counts(connection) == (0, 1, 2)
    with pytest.raises(NotFound):
        chats.find(connection, owner.row_id, "chat_1")
    for query in ("large", "word"):
        assert chats.find_with(connection, owner.row_id, query, 10, 0).total == 0
    missed = replay.missed(connection, owner.row_id, 0)
    assert [(fact.seq, type(fact).__name__) for fact in missed] == [(before + 1, "ChatChange")]
    while not hidden_chats.remove_slice(connection, large):
        pass
    assert counts(connection) == (0, 0, 0)
    assert hidden_chats.everything(connection) == []


def test_its_reply_ends_with_it(connection: Connection, owner: User, large: int) -> None:
    stored = turns.add_message(
        connection, owner.row_id, message(), reply=turns.NewReply("msg_r", "m")
    )
    assert stored.begun is not None
    chats.delete(connection, owner.row_id, "chat_1")
    assert turns.end_reply(connection, stored.begun.message) is None


def test_a_chat_that_is_shown_again_counts(connection: Connection, owner: User, large: int) -> None:
    hidden_chats.hide(connection, owner.row_id, large)
    assert hidden_chats.of(connection, owner.row_id) == {large}
    assert counts(connection)[0] == 0
    hidden_chats.show(connection, large)
    assert counts(connection)[0] == 1
    assert hidden_chats.of(connection, owner.row_id) == set()
