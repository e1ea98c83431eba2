"""Titles of new chats: opening words, and a model's instead if the admin wants that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services import titles
from tests.assistant.upstream import Caller, upstream
from tests.conftest import Client
from tests.services.test_providers import configure, provider


class Model:
    """A model server that writes replies, and titles when it may."""

    def __init__(self) -> None:
        self.asked: list[Any] = []  # bodies of requests for titles
        self.title: list[str] = ["**Herons ", "and reeds**"]
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, caller: Caller) -> None:
        if "Write a title" not in json.dumps(caller.body):
            await caller.begin()
            await caller.event(content="A heron is a bird.")
            await caller.done()
            return
        self.asked.append(caller.body)
        await self.may_go_on.wait()
        await caller.begin()
        for piece in self.title:
            await caller.event(content=piece)
        await caller.done()


@asynccontextmanager
async def titling(ada: Client) -> AsyncIterator[Model]:
    """The model `big` of a provider, and an admin who lets models write titles."""
    made = Model()
    async with upstream(made) as base_url:
        await configure(ada, provider(base_url, "big"))
        answer = await ada("PUT /settings/admin", {"titles_by_model": True})
        assert answer.body["titles_by_model"] is True
        yield made


async def finished(rooms: Any) -> None:
    """Wait for the titles that are being written."""
    await asyncio.gather(*rooms.titles._tasks)


async def title(ada: Client, chat: str) -> str:
    return str((await ada("GET /chats/{id}", id=chat)).body["title"])


QUESTION = "What is a heron? " + "I would like to know. " * 200


async def test_a_model_writes_the_title_once(ada: Client, rooms: Any) -> None:
    async with titling(ada) as model:
        phone = await ada.socket(since="latest")
        chat = await ada.chat(model="big")
        await ada.say(chat, QUESTION)
        assert (await phone.until("chat", title="Herons and reeds"))["id"] == chat
        before = (await ada("GET /chats/{id}", id=chat)).body
        assert before["updated_at"] == before["last_message"]["timestamp"]
        (body,) = model.asked
        assert "A heron is a bird." in body["messages"][-1]["content"]
        assert len(body["messages"][-1]["content"]) < 3_000
        await ada.say(chat, "And a stork?")
        await finished(rooms)
        assert len(model.asked) == 1
        found = await ada("GET /chats", query={"q": "reeds"})
        assert [one["id"] for one in found.body["data"]] == [chat]
        listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
        assert len(listed) == 4


@pytest.mark.parametrize(
    ("settings", "chat"),
    [
        ({"titles_by_model": False}, {"model": "big"}),
        ({}, {"model": "big", "title": "Mine"}),
        ({}, {"model": "quillium-demo"}),
    ],
)
async def test_no_title_is_asked_for(
    ada: Client, rooms: Any, settings: dict[str, Any], chat: dict[str, Any]
) -> None:
    async with titling(ada) as model:
        await ada("PUT /settings/admin", settings)
        id = await ada.chat(**chat)
        await ada.say(id, "Hello there")
        await finished(rooms)
        assert model.asked == []
        assert await title(ada, id) == chat.get("title", "Hello there")


async def test_a_title_that_was_given_meanwhile_stays(ada: Client, rooms: Any) -> None:
    async with titling(ada) as model:
        model.may_go_on.clear()
        chat, gone = await ada.chat(model="big"), await ada.chat(model="big")
        await ada.say(chat, "Hello")
        await ada("PATCH /chats/{id}", {"title": "Mine"}, id=chat)
        await ada.say(gone, "Hello")
        await ada("DELETE /chats/{id}", id=gone)
        model.may_go_on.set()
        await finished(rooms)
        assert await title(ada, chat) == "Mine"
        assert (await ada("GET /chats")).body["pagination"]["total"] == 1


@pytest.mark.parametrize("pieces", [[], ["  "], ['""'], ["word " * 100] * 6])
async def test_what_is_no_title_leaves_the_opening_words(
    ada: Client, rooms: Any, pieces: list[str]
) -> None:
    async with titling(ada) as model:
        model.title = pieces
        chat = await ada.chat(model="big")
        await ada.say(chat, "Hello")
        await finished(rooms)
        assert await title(ada, chat) == "Hello"


async def test_a_model_that_takes_too_long(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with titling(ada) as model:
        monkeypatch.setattr(titles, "_TIMEOUT_SECONDS", 0.01)
        model.may_go_on.clear()
        chat = await ada.chat(model="big")
        await ada.say(chat, "Hello")
        await finished(rooms)
        assert await title(ada, chat) == "Hello"
        model.may_go_on.set()


async def test_the_end_of_the_server_gives_titles_up(ada: Client, rooms: Any) -> None:
    async with titling(ada) as model:
        model.may_go_on.clear()
        await ada.say(await ada.chat(model="big"), "Hello")
        await rooms.titles.close()
        assert not rooms.titles._tasks
        model.may_go_on.set()


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Herons", "Herons"),
        ('\n\n# "Herons."\nand more', "Herons"),
        ("Title: **Herons**", "Herons"),
        ("„Reiher im Schilf“", "Reiher im Schilf"),
        ("标题：苍鹭", "苍鹭"),
        ("He\x00rons\u202e", "Herons"),
        ("a" * 200, "a" * 80),
    ],
)
def test_cleaning(written: str, title: str) -> None:
    assert titles._cleaned(written) == title
