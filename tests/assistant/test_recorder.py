"""What model servers respond is recorded (contract, section 11)."""

from __future__ import annotations

import json
import stat
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from assistant import recordings
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from assistant.replay import Replay
from assistant.upstream import Upstream
from core.errors import ModelUnavailable
from tests.assistant.talk import (
    HELLO,
    KEY,
    Script,
    broken,
    hello,
    recorded,
    refused,
    replaying,
    say,
)
from tests.assistant.upstream import Caller


@pytest.mark.parametrize("script", [hello, refused, broken])
async def test_a_reply_is_the_same_again(tmp_path: Path, script: Script) -> None:
    file = tmp_path / "talk.jsonl"
    first = await recorded(file, script, say)
    again = await say(replaying(file))
    assert again == [
        Text(e.text.replace(KEY, "*" * len(KEY))) if isinstance(e, Text) else e for e in first
    ]
    content = file.read_text()
    assert KEY[-12:] not in content
    assert "a long secret" not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_stopped_reply(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"

    async def stall(caller: Caller) -> None:
        await caller.begin()
        await caller.event(content="So far")
        await caller.wait_for_close()

    async def stop(provider: OpenAICompatible) -> None:
        async with aclosing(provider.reply(HELLO, "m")) as replied:
            await anext(replied)

    await recorded(file, stall, stop)
    assert await say(replaying(file)) == [Text("So far"), "model_unavailable"]


async def test_lists_of_models(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"

    async def script(caller: Caller) -> None:
        body = {"data": [{"id": "m", "context_length": 512}]}
        await caller.respond("200 OK", json.dumps(body).encode())

    async def list_twice(provider: OpenAICompatible) -> Any:
        await provider.models()
        return await provider.models()

    first = await recorded(file, script, list_twice)
    assert await replaying(file).models() == first
    assert len(file.read_text().splitlines()) == 2  # a list that has not changed is known
    replay = Replay(recordings.read(file), is_instant=True)
    other = OpenAICompatible(Upstream("Other", "http://recording.invalid/v1"), send=replay.send)
    with pytest.raises(ModelUnavailable):
        await other.models()


async def test_a_response_that_is_too_large(tmp_path: Path, caplog: Any) -> None:
    file = tmp_path / "talk.jsonl"

    async def script(caller: Caller) -> None:
        await caller.respond("200 OK", b" " * (recordings.MAX_BYTES + 1))

    async def forward(provider: OpenAICompatible) -> int:
        async with provider.forward("/embeddings", {"model": "m"}) as response:
            return sum([len(chunk) async for chunk in response.chunks()])

    assert await recorded(file, script, forward) == recordings.MAX_BYTES + 1
    assert len(file.read_text().splitlines()) == 1
    assert "not recorded" in caplog.text
