"""Talk with a provider that is recorded or replayed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

from assistant import PromptMessage, recordings
from assistant.events import ReplyEvent
from assistant.openai_compatible import OpenAICompatible
from assistant.recorder import Recorder
from assistant.replay import Replay
from assistant.upstream import Upstream
from core.errors import QuilliumError
from tests.assistant.upstream import Caller, event, upstream

KEY = "sk-abcdefghij0123456789"
HELLO = [PromptMessage("user", "Hello?")]
Script = Callable[[Caller], Awaitable[None]]
Use = Callable[[OpenAICompatible], Awaitable[Any]]


async def hello(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Grüße ")
    sent = event(content=f"with {KEY}")
    await caller.chunk(sent[:40])  # within the key
    await caller.chunk(sent[40:])
    await caller.chunk(b'data: {"choices": [{"delta": {"content": "\xf0\x9f')
    await caller.chunk(b'\xaa\xb6"}}]}\n\n')
    await caller.done()


async def refused(caller: Caller) -> None:
    body = json.dumps({"error": {"message": f"No {KEY}"}}).encode()
    await caller.respond("400 Bad Request", body)


async def broken(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="So far")


async def recorded(file: Path, script: Script, use: Use) -> Any:
    """Record to a file what `use` does with a provider, and return its result."""
    async with upstream(script) as base_url:
        with recordings.opened(file) as opened:
            server = Upstream("Real", base_url, KEY, (("X-Secret", "a long secret"),))
            return await use(OpenAICompatible(server, send=Recorder(opened).send))


def replaying(file: Path, *, is_instant: bool = True) -> OpenAICompatible:
    replay = Replay(recordings.read(file), is_instant=is_instant)
    return OpenAICompatible(Upstream("Real", "http://recording.invalid/v1"), send=replay.send)


async def events(replied: AsyncGenerator[ReplyEvent, None]) -> list[ReplyEvent | str]:
    """Return the events of a reply, and the code of its failure, if there is one."""
    found: list[ReplyEvent | str] = []
    try:
        async for one in replied:
            found.append(one)
    except QuilliumError as error:
        found += [error.code]
    return found


async def say(provider: OpenAICompatible) -> list[ReplyEvent | str]:
    return await events(provider.reply(HELLO, "m"))
