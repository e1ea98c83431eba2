"""Decode every provider dialect: split at every byte, over a socket, and as users see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from assistant import PromptMessage
from assistant.decoder import AnswerDecoder, BrokenOff, UnreadableAnswer
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall
from assistant.failures import ReportedFailure
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream
from core.errors import QuilliumError
from tests.assistant.dialects import hosted, odd, self_hosted
from tests.assistant.dialects.spoken import Dialect
from tests.assistant.upstream import Caller, Script, upstream
from tests.conftest import Client

ALL = (*hosted.DIALECTS, *self_hosted.DIALECTS, *odd.DIALECTS, *odd.EMPTY)
PARAMETERS = pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)


class Outcome:
    """What a reply came to."""

    def __init__(self) -> None:
        self.text = self.reasoning = self.error = ""
        self.end: End | None = None
        self.tools: list[list[str]] = []

    def add(self, event: ReplyEvent) -> None:
        assert self.end is None
        if isinstance(event, Text):
            self.text += event.text
        elif isinstance(event, Reasoning):
            self.reasoning += event.text
        elif isinstance(event, ToolCall):
            if event.name is not None:
                assert event.id
                assert event.index == len(self.tools)
                self.tools.append([event.name, ""])
            self.tools[event.index][1] += event.arguments
        else:
            self.end = event

    def check(self, dialect: Dialect) -> None:
        assert (self.text, self.reasoning) == (dialect.text, dialect.reasoning)
        assert tuple(map(tuple, self.tools)) == dialect.tools
        assert dialect.error in self.error
        assert bool(self.error) == bool(dialect.error)
        if not dialect.error:
            assert self.end is not None
            assert self.end.finish_reason == dialect.finish
            counted = self.end.usage
            assert dialect.usage == (counted and (counted.prompt_tokens, counted.completion_tokens))


def decoded(chunks: Iterable[bytes]) -> Outcome:
    """The outcome of an answer that comes in these chunks."""
    decoder, outcome = AnswerDecoder(), Outcome()

    def come() -> Iterator[ReplyEvent]:
        for chunk in chunks:
            yield from decoder.feed(chunk)
        yield from decoder.close()

    name = Upstream("The Upstream", "")
    try:
        for event in come():
            outcome.add(event)
    except ReportedFailure as failure:
        outcome.error = str(name.error_for(None, failure.document))
    except BrokenOff:
        outcome.error = str(name.truncated_error())
    except UnreadableAnswer:
        outcome.error = str(name.unreadable_error())
    if outcome.error:
        for event in decoder.reply.flush():
            outcome.add(event)
    return outcome


def test_there_are_many() -> None:
    assert len({dialect.name for dialect in ALL}) == len(ALL) >= 120


@PARAMETERS
def test_split_at_every_byte(dialect: Dialect) -> None:
    body = dialect.body
    decoded([body]).check(dialect)
    decoded(bytes([byte]) for byte in body).check(dialect)
    for at in range(1, len(body)):
        decoded((body[:at], body[at:])).check(dialect)


def speaks(dialect: Dialect) -> Script:
    async def script(caller: Caller) -> None:
        await caller.begin(dialect.status, dialect.content_type)
        half = len(dialect.body) // 2
        for part in (dialect.body[:half], dialect.body[half:]):
            if part:
                await caller.chunk(part)
        await caller.end()

    return script


@PARAMETERS
async def test_over_a_socket(dialect: Dialect) -> None:
    outcome = Outcome()
    async with upstream(speaks(dialect)) as base_url:
        provider = OpenAICompatible(Upstream("The Upstream", base_url))
        try:
            async for event in provider.reply([PromptMessage("user", "Hello?")], "m"):
                outcome.add(event)
        except QuilliumError as error:
            outcome.error = error.details
    outcome.check(dialect)


@pytest.mark.parametrize("part", range(6))
async def test_what_people_see(ada: Client, part: int) -> None:
    """Over the WebSocket, as Server-Sent Events, over REST: the same text, and never nothing."""
    dialects = {dialect.name: dialect for dialect in ALL[part::6]}

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await speaks(dialects[caller.body["model"]])(caller)

    async with upstream(script) as base_url:
        provider = {"name": "The Upstream", "base_url": base_url, "models": list(dialects)}
        settings = {"providers": [provider], "rate_limit_per_minute": 0}
        assert (await ada("PUT /settings/admin", settings)).status == 200
        socket = await ada.socket()
        for name, dialect in dialects.items():
            chat = await ada.chat(model=name)
            final = (await ada.say(chat, "Hello?"))[-1]["data"]
            told = await socket.until("message", sender="assistant", chat_id=chat)
            listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"][-1]
            for field in ("content", "status", "reasoning", "finish_reason", "usage"):
                assert final[field] == told[field] == listed[field], (name, field)
            assert final["content"].strip() == dialect.text.strip(), name
            assert final["reasoning"] == (dialect.reasoning or None), name
            if dialect.error or not dialect.text:
                assert final["status"] == "failed", name
                assert final["error"]["details"], name
                assert dialect.error in final["error"]["details"], name
            else:
                assert final["status"] == "complete", name
                assert final["finish_reason"] == dialect.finish, name
            if not dialect.error:
                counted = final["usage"]
                assert dialect.usage == (counted and tuple(counted.values())), name


def test_outcomes_are_compared() -> None:
    """The comparison itself notices a lost word."""
    dialect = hosted.DIALECTS[0]
    with pytest.raises(AssertionError):
        decoded([dialect.body.replace(b'"lo"', b'"l"')]).check(dialect)
