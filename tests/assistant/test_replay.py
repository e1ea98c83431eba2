"""Recorded responses come back without the model server (contract, section 11)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from assistant import PromptMessage
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from core.errors import ModelUnavailable
from tests.assistant.talk import (
    HELLO,
    events,
    hello,
    recorded,
    replaying,
    say,
)
from tests.assistant.upstream import Caller


async def test_a_server_that_does_not_respond(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"

    async def close(caller: Caller) -> None:
        caller.close()

    assert await recorded(file, close, say) == ["model_unavailable"]
    with pytest.raises(ModelUnavailable, match="Real closed the connection, or is no HTTP server"):
        await anext(replaying(file).reply(HELLO, "m"))


async def test_forwarded_responses(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    request: dict[str, Any] = {"model": "m", "messages": [], "user": None}

    async def script(caller: Caller) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nRetry-After: 7\r\nX-Other: 1\r\n"
        await caller.raw(head + b"Content-Length: 4\r\n\r\n\xffabc")

    async def forward(provider: OpenAICompatible) -> Any:
        async with provider.forward("/completions", request) as response:
            body = b"".join([chunk async for chunk in response.chunks()])
            headers = (response.headers[name] for name in ("Content-Type", "Retry-After"))
            return response.status, tuple(headers), body

    first = await recorded(file, script, forward)
    assert first == (200, ("text/plain", "7"), b"\xffabc")
    assert await forward(replaying(file)) == first
    assert "X-Other" not in file.read_text()


async def test_repeated_requests_get_their_responses_in_order(tmp_path: Path) -> None:
    file, count = tmp_path / "talk.jsonl", 0

    async def script(caller: Caller) -> None:
        nonlocal count
        count += 1
        await caller.begin()
        await caller.event(content=str(count))
        await caller.done()

    await recorded(file, script, say)
    await recorded(file, script, say)  # the file is continued
    provider = replaying(file)
    texts = [(await say(provider))[0] for _ in range(3)]
    assert texts == [Text("1"), Text("2"), Text("2")]


async def test_the_recorded_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, pauses = tmp_path / "talk.jsonl", []
    await recorded(file, hello, say)
    header, line = file.read_text().splitlines()
    exchange = json.loads(line)
    exchange["events"] = [[1e6 * n, text] for n, (_, text) in enumerate(exchange["events"], 1)]
    file.write_text(f"{header}\n{json.dumps(exchange)}\n")

    async def sleep(seconds: float) -> None:
        pauses.append(round(seconds, -1))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await say(replaying(file, is_instant=False))
    assert pauses[:3] == [1000, 2000, 3000]
    pauses.clear()
    await say(replaying(file, is_instant=True))
    assert set(pauses) == {0}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ("Hello!", 'line 2, messages.0.content is "Hello?" instead of "Hello!"'),
        ("Goodbye", 'line 3, messages.0.content is "Bye" instead of "Goodbye"'),
        ("x" * 100, f'instead of "{"x" * 59}…'),
    ],
)
async def test_an_unknown_request(tmp_path: Path, messages: str, reason: str) -> None:
    file = tmp_path / "talk.jsonl"

    async def say_two(provider: OpenAICompatible) -> None:
        await say(provider)
        await events(provider.reply([PromptMessage("user", "Bye")], "m"))

    await recorded(file, hello, say_two)
    with pytest.raises(ModelUnavailable) as raised:
        await anext(replaying(file).reply([PromptMessage("user", messages)], "m"))
    assert raised.value.details.startswith("talk.jsonl has no response to this request. In the")
    assert reason in raised.value.details
    with pytest.raises(ModelUnavailable, match=r"messages has 1 instead of 3 items"):
        await anext(replaying(file).reply([*HELLO, PromptMessage("assistant", "Hi"), *HELLO], "m"))
    with pytest.raises(ModelUnavailable, match=r"none to another one at /embeddings"):
        async with replaying(file).forward("/embeddings", {"model": "m"}):
            pass
