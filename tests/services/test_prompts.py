"""Building a prompt: joined system prompts, then a short or long conversation."""

from __future__ import annotations

from typing import Any

import pytest

from core.records import Message
from services import prompts
from storage import chats, messages, turns
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
        return await prompts.build(rooms.db, admin, begun, characters)

    whole = await built("", None)
    assert [line.content for line in whole] == [line["content"] for line in lines]
    assert whole[-1].role == "user"
    assert (await built("A", None))[0] == ("system", "A")
    assert (await built("A", "B"))[:2] == [("system", "A\n\nB"), whole[0]]
    assert [line.content for line in await built("", None, characters=1)] == [last.content]
