"""Building a prompt: joined system prompts, then a short or long conversation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from assistant import PromptMessage
from core import fairness
from core.records import Message
from services import prompts
from services.prompts import Prompts
from storage import chats, messages, turns
from tests.assistant.pdf_files import pdf
from tests.conftest import Client


@pytest.mark.parametrize("count", [1, 60])  # read on the loop, and in the pool
async def test_a_prompt_ends_with_the_message_that_is_answered(
    ada: Client, rooms: Any, count: int
) -> None:
    export = (await ada("GET /chats/{id}/export", id=await ada.chat())).body
    lines = [
        {
            "content": str(n),
            "sender": ("user", "assistant")[n % 2],
            "timestamp": export["exported_at"],
        }
        for n in range(2 * count - 1)
    ]
    imported = (await ada("POST /chats/import", {**export, "messages": lines})).body
    user = rooms.accounts.authenticate(ada.credential).user
    row_id = rooms.db.read(chats.check, user.row_id, imported["id"])
    last: Message = rooms.db.read(messages.everything, row_id)[-1]

    async def built(admin: str, own: str | None, characters: int = 10_000) -> list[Any]:
        begun = turns.Begun(last, last, None, chats.Instructions(own, "{}"))  # type: ignore[arg-type]
        async with Prompts(rooms.db).built(admin, begun, characters) as prompt:
            return prompt

    whole = await built("", None)
    assert [line.content for line in whole] == [line["content"] for line in lines]
    assert whole[-1].role == "user"
    assert (await built("A", None))[0] == PromptMessage("system", "A")
    assert (await built("A", "B"))[:2] == [PromptMessage("system", "A\n\nB"), whole[0]]
    assert [line.content for line in await built("", None, characters=1)] == [last.content]


PNG = b"\x89PNG\r\n\x1a\n"


async def conversation(ada: Client, rooms: Any, *contents: bytes) -> turns.Begun:
    """A chat in which each message has one file; what a reply to the last one needs."""
    chat = await ada.chat()
    for content in contents:
        file = (await ada("POST /files", content)).body
        await ada.say(chat, "Look", attachments=[file["id"]])
    user = rooms.accounts.authenticate(ada.credential).user
    listed = rooms.db.read(messages.everything, rooms.db.read(chats.check, user.row_id, chat))
    last = [message for message in listed if message.sender == "user"][-1]
    return turns.Begun(last, last, None, chats.Instructions(None, "{}"))  # type: ignore[arg-type]


async def test_the_latest_files_are_read(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "MAX_IMAGE_BYTES", 3_000)
    monkeypatch.setattr(prompts, "MAX_TEXT_BYTES", 1_000)
    monkeypatch.setattr(prompts, "MAX_FILES", 5)
    monkeypatch.setattr(prompts, "_HEAD_BYTES", 10)
    large, small, paper = PNG + bytes(2_000), PNG + bytes(500), b"%PDF-1.7 and more"
    begun = await conversation(
        ada, rooms, small, small, large, b"x" * 800, paper, b"y" * 800, large, large[:-1]
    )
    async with Prompts(rooms.db).built("", begun, 10_000) as prompt:
        files = [message.files[0] for message in prompt if message.files]
    sizes = [len(file.content) for file in files]
    assert sizes == [0, 0, 0, 200, 0, 800, 10, len(large) - 1]
    assert [file.is_whole for file in files] == [False] * 5 + [True, False, True]


async def test_the_texts_of_pdf_files_share_the_limit_of_text(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "MAX_TEXT_BYTES", 150)
    begun = await conversation(
        ada, rooms, pdf(b"b" * 90), pdf(b"a" * 90), b"x" * 50, pdf(b"c" * 30), b"%PDF-1.7"
    )
    async with Prompts(rooms.db).built("", begun, 10_000) as prompt:
        files = [message.files[0] for message in prompt if message.files]
    texts = [file.text.text if file.text else None for file in files]
    assert texts == ["", "a" * 70, None, "c" * 30, ""]
    assert all(file.text.problem for file in (files[0], files[-1]) if file.text)
    assert files[2].is_whole


async def test_large_prompts_take_turns(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "_LARGE_BYTES", 100)
    monkeypatch.setattr(fairness, "LARGE_PROMPTS_EACH", 1)
    large = await conversation(ada, rooms, PNG + bytes(200))
    small = await conversation(ada, rooms, PNG)
    building = Prompts(rooms.db)
    has_begun = asyncio.Event()

    async def build() -> None:
        async with building.built("", large, 10_000):
            has_begun.set()

    async with building.built("", large, 10_000):
        waiting = asyncio.ensure_future(build())
        async with building.built("", small, 10_000) as prompt:
            assert [file.content for message in prompt for file in message.files] == [PNG]
        assert not has_begun.is_set()
    await waiting
    assert has_begun.is_set()
