"""The tree of a chat's messages, compared with a model of a few lines through random changes."""

from __future__ import annotations

import itertools
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Conflict, NotFound
from core.records import User
from storage import chats, hidden_chats, messages, turns, versions
from storage.connection import Connection
from storage.maintenance import _counters
from storage.turns import NewReply
from tests.storage import facts
from tests.storage.facts import NOW, chat, message, say, user


class Model:
    """What a chat shows, by the ids of its messages."""

    def __init__(self) -> None:
        self.parents: dict[str, str | None] = {}  # by id, in the order in which they were stored
        self.path: list[str] = []

    def add(self, id: str) -> None:
        self.parents[id] = self.path[-1] if self.path else None
        self.path.append(id)

    def line(self, id: str | None) -> list[str]:
        return [] if id is None else [*self.line(self.parents[id]), id]

    def children(self, id: str | None) -> list[str]:
        return [child for child, parent in self.parents.items() if parent == id]

    def newest(self, id: str) -> str:
        below = self.children(id)
        return self.newest(below[-1]) if below else id

    def delete(self, id: str) -> None:
        others = [other for other in self.children(self.parents[id]) if other != id]
        if id in self.path:
            self.path = self.line(self.newest(others[-1]) if others else self.parents[id])
        self.parents = {each: p for each, p in self.parents.items() if id not in self.line(each)}


class Chat:
    """A chat in storage, and the model of it. Each method is one change of both."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._owner = user(connection).row_id
        self.model = Model()
        self._numbers = itertools.count()
        chat(connection, User(self._owner, "", "", "", False, NOW, NOW))

    def any(self, choice: int) -> str | None:
        """Return one of the messages, whether it is shown or not."""
        ids = list(self.model.parents)
        return ids[choice % len(ids)] if ids else None

    def say(self, choice: int, replaces: str | None = None) -> None:
        """Send a message; sometimes others arrive before its reply ends, or a crash ends it."""
        stored = turns.add_message(
            self._connection, self._owner, message(), "", self._reply(), (), replaces
        )
        self.model.add(stored.message.id)
        for _ in range(choice % 3):
            self.model.add(say(self._connection, self._said_by(), "meanwhile").id)
        assert stored.begun is not None
        self._end(stored.begun, choice)

    def edit(self, choice: int) -> None:
        id = self.any(choice)
        if id is not None and self._find(id).sender == "user":
            self.model.path = self.model.line(self.model.parents[id])
            self.say(0, id)

    def regenerate(self, choice: int) -> None:
        id = self.any(choice)
        before = self.model.line(self.model.parents[id]) if id else []
        if id is None or all(self._find(each).sender == "assistant" for each in before):
            return
        if self._find(id).sender == "assistant":
            self.model.path = before
            begun = turns.regenerate(
                self._connection, self._owner, "chat_1", self._reply(), NOW, id
            )
            self._end(begun, choice)

    def select(self, choice: int) -> None:
        id = self.any(choice)
        if id is not None:
            versions.select(self._connection, self._owner, "chat_1", id)
            if id not in self.model.path:
                self.model.path = self.model.line(self.model.newest(id))

    def delete(self, choice: int) -> None:
        id = self.any(choice)
        if id is not None:
            rows = versions.below(self._connection, self._owner, "chat_1", id)
            while rows:
                done = versions.remove(self._connection, self._owner, "chat_1", rows).done
                rows = rows[done:]
            self.model.delete(id)

    def check(self) -> None:
        page = messages.page(self._connection, self._owner, "chat_1", 1000, 0, False)
        listed = json.loads(f"[{page.items}]")
        assert [each["id"] for each in listed] == self.model.path
        for each in listed:
            siblings = self.model.children(each["parent_id"])
            assert each["parent_id"] == self.model.parents[each["id"]]
            assert each["version_count"] == len(siblings)
            assert siblings[each["version"] - 1] == each["id"]
        found = chats.find(self._connection, self._owner, "chat_1")
        assert found.public()["leaf_id"] == (self.model.path[-1] if self.model.path else None)
        assert (page.total, found.message_count) == (len(listed), len(listed))
        everything = [each.id for each in messages.everything(self._connection, found.row_id)]
        assert everything == list(self.model.parents)
        assert _counters(self._connection) == []

    def _reply(self) -> NewReply:
        return NewReply(f"msg_{next(self._numbers)}", "m")

    def _said_by(self) -> User:
        return User(self._owner, "", "", "", False, NOW, NOW)

    def _find(self, id: str) -> Any:
        return messages.find(self._connection, 1, id)

    def _end(self, begun: turns.Begun, choice: int) -> None:
        if choice % 5:
            turns.end_reply(self._connection, replace(begun.message, status="complete"))
        else:
            turns.interrupt_all(self._connection)
        self.model.add(begun.message.id)


CHANGES = ("say", "say", "edit", "regenerate", "select", "delete")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 1000)), max_size=20))
def test_the_path_is_that_of_the_model(changes: list[tuple[str, int]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        facts.database(Path(folder) / "quillium.db") as connection,
    ):
        changed = Chat(connection)
        for name, choice in changes:
            getattr(changed, name)(choice)
            changed.check()


def test_a_deletion_in_slices_leaves_a_tree(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_chats, "SLICE_SECONDS", -1.0)  # one message a slice
    changed = Chat(connection)
    for _ in range(3):
        changed.say(1)
    rows = versions.below(connection, 1, "chat_1", changed.model.path[1])
    assert versions.remove(connection, 1, "chat_1", rows).done == 1
    assert _counters(connection) == []
    assert chats.find(connection, 1, "chat_1").message_count == 1  # none of them is shown
    say(connection, User(1, "", "", "", False, NOW, NOW), "meanwhile")
    for row in rows[1:]:
        versions.remove(connection, 1, "chat_1", [row])
    assert [m.content for m in messages.everything(connection, 1)] == ["Hello", "meanwhile"]
    assert _counters(connection) == []


def test_nothing_changes_the_path_while_a_reply_is_written(connection: Connection) -> None:
    changed = Chat(connection)
    changed.say(1)
    first, second = changed.model.path[:2]
    turns.add_message(connection, 1, message(), "", NewReply("msg_r", "m"))
    for refused in (
        lambda: versions.select(connection, 1, "chat_1", first),
        lambda: versions.remove(connection, 1, "chat_1", [1]),
        lambda: turns.add_message(connection, 1, message(), replaces=first),
        lambda: turns.regenerate(connection, 1, "chat_1", NewReply("msg_s", "m"), NOW, second),
    ):
        with pytest.raises(Conflict, match="still being written"):
            refused()


def test_an_edit_is_of_a_users_message_and_a_regeneration_of_a_reply(
    connection: Connection,
) -> None:
    changed = Chat(connection)
    changed.say(1)
    said, reply = changed.model.path[0], changed.model.path[-1]
    with pytest.raises(Conflict, match="Regenerate it"):
        turns.add_message(connection, 1, message(), replaces=reply)
    with pytest.raises(Conflict, match="Edit a message"):
        turns.regenerate(connection, 1, "chat_1", NewReply("msg_s", "m"), NOW, said)
    with pytest.raises(NotFound):
        turns.add_message(connection, 1, message(), replaces="msg_unknown")
    changed.check()


def test_a_pending_reply_is_not_begun_where_nothing_needs_one(connection: Connection) -> None:
    changed = Chat(connection)
    changed.say(3)
    assert turns.begin_reply(connection, "chat_1", NewReply("msg_s", "m"), NOW) is None
