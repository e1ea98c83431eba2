"""Conversations: atomic writes, and a refused message leaves its chat usable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core import fairness
from core.errors import Conflict, NotFound, StorageUnavailable
from core.records import User
from tests.conftest import Client


def user_of(rooms: Any, client: Client) -> User:
    user: User = rooms.accounts.authenticate(client.credential).user
    return user


async def answered(rooms: Any, client: Client, chat: str) -> list[dict[str, Any]]:
    """All messages of a chat, once nothing is said in it any more."""
    while rooms.conversation.count_active():
        await asyncio.sleep(0.001)
    listed: list[dict[str, Any]] = (await client("GET /chats/{id}/messages", id=chat)).body["data"]
    return listed


async def test_a_turn_is_two_commits(ada: Client, rooms: Any) -> None:
    """Its reply begins in the transaction that stores the message: nobody waits for two."""
    chat = await ada.chat()
    before = rooms.db.statistics().commits
    await rooms.conversation.submit(user_of(rooms, ada), chat, "Hello")
    assert rooms.db.statistics().commits == before + 1
    said = await answered(rooms, ada, chat)
    assert [message["status"] for message in said] == ["complete", "complete"]
    assert rooms.db.statistics().commits == before + 2


async def test_what_is_refused_leaves_the_chat_free(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, user = await ada.chat(), user_of(rooms, ada)
    await rooms.conversation.submit(user, chat, "Hello", "one")
    await answered(rooms, ada, chat)
    with pytest.raises(Conflict):
        await rooms.conversation.submit(user, chat, "Something else", "one")
    assert rooms.conversation.count_active() == 0
    again = await rooms.conversation.submit(user, chat, "Hello", "one")
    assert (again.is_new, rooms.conversation.count_active()) == (False, 0)
    with monkeypatch.context() as patched:
        patched.setattr(fairness, "MAX_WRITES_WAITING", 0)
        with pytest.raises(StorageUnavailable):
            await rooms.conversation.submit(user, chat, "Hello")
        with pytest.raises(StorageUnavailable):
            await rooms.conversation.regenerate(user, chat)
    assert rooms.conversation.count_active() == 0
    await rooms.conversation.regenerate(user, chat)
    said = await answered(rooms, ada, chat)
    assert [message["status"] for message in said] == ["complete", "complete"]


async def test_a_chat_that_is_deleted_at_the_same_moment(ada: Client, rooms: Any) -> None:
    user = user_of(rooms, ada)
    for is_said_first in (True, False):
        chat = await ada.chat()
        saying = rooms.conversation.submit(user, chat, "Hello")
        deleting = rooms.chats.delete(user, chat)
        both = (saying, deleting) if is_said_first else (deleting, saying)
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert [type(failure) for failure in failures] == [NotFound] * (not is_said_first)
        while rooms.conversation.count_active():
            await asyncio.sleep(0.001)


async def test_a_failure_takes_nobody_along(ada: Client, rooms: Any) -> None:
    """Who speaks in the moment in which another one is refused gets an answer."""
    chat, user = await ada.chat(), user_of(rooms, ada)
    outcomes = await asyncio.gather(
        rooms.conversation.regenerate(user, chat),
        rooms.conversation.submit(user, chat, "Hello"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Conflict)
    assert [m["status"] for m in await answered(rooms, ada, chat)] == ["complete", "complete"]
    await rooms.conversation.submit(user, chat, "One", "a")
    await answered(rooms, ada, chat)
    outcomes = await asyncio.gather(
        rooms.conversation.submit(user, chat, "Other", "a"),
        rooms.conversation.submit(user, chat, "Two", "b"),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Conflict)
    said = await answered(rooms, ada, chat)
    assert [m["content"] for m in said if m["sender"] == "user"] == ["Hello", "One", "Two"]
    assert [m["sender"] for m in said] == ["user", "assistant"] * 3


async def test_many_at_once_are_all_answered(ada: Client, rooms: Any) -> None:
    chat, user = await ada.chat(), user_of(rooms, ada)
    stored = await asyncio.gather(
        *(rooms.conversation.submit(user, chat, f"Number {n}", f"id-{n % 10}") for n in range(10)),
        *(rooms.conversation.submit(user, chat, f"Number {n}", f"id-{n}") for n in range(10)),
    )
    assert [said.is_new for said in stored] == [True] * 10 + [False] * 10
    said = await answered(rooms, ada, chat)
    replies = [message for message in said if message["sender"] == "assistant"]
    assert [reply["status"] for reply in replies] == ["complete"] * 2
    answers = "".join(reply["content"] for reply in replies)
    assert all(f"Number {n}" in answers for n in range(10))
    assert said[-1]["sender"] == "assistant"


async def test_what_is_stopped_before_it_began_says_nothing(ada: Client, rooms: Any) -> None:
    chat, user = await ada.chat(), user_of(rooms, ada)
    saying = asyncio.ensure_future(rooms.conversation.submit(user, chat, "Hello"))
    await asyncio.sleep(0)
    assert rooms.conversation.stop(user, chat) is None
    await saying
    reply = (await answered(rooms, ada, chat))[1]
    assert (reply["status"], reply["content"]) == ("stopped", "")
