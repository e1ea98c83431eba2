"""`quillium-demo`: a rule-based assistant for front-end development.

It answers in context, needs no network, and is deterministic. Its languages are imported by its
first reply, because compiling their patterns would slow each start.
Commands shape the reply: `/lorem`, `/markdown`, `/slow`, `/error`, `/help` (contract, section 8).
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from assistant import (
    DEFAULT_PARAMETERS,
    Parameters,
    PromptMessage,
    demo_completions,
    demo_files,
)
from assistant.answer_limits import AnswerLimits
from assistant.chat_request import ChatRequest
from assistant.demo_facts import Facts
from assistant.demo_texts import HELP, LOREM, MARKDOWN, SLOW
from assistant.events import End, ReplyEvent, Text
from core import graphemes
from core.errors import ModelUnavailable

MAX_WORDS = 10_000
MAX_TOKENS_A_SECOND = 1_000
_READ_CHARACTERS = 2_000  # of a message; parsing more would block the event loop
_REMEMBERED_CHARACTERS = 50_000  # of a conversation
# Between yields to the event loop; well under a millisecond.
_CHARACTERS_A_STEP = 2_000  # characters
_WORDS_A_STEP = 100  # words

_COMMAND = re.compile(r"/([a-z]+)(?:\s+(\S.*))?\Z", re.IGNORECASE | re.DOTALL)
# Each word is a token, and in Chinese and Japanese each character.
_PIECE = re.compile(
    r"\s*(?:[\u3040-\u30ff\u3400-\u9fff][，。！？：；、]?|[^\s\u3040-\u30ff\u3400-\u9fff]+)|\s+\Z"
)


class Demo:
    """The built-in provider."""

    name = "built-in"

    def memory(self, model: str) -> int:
        """See `assistant.Provider`."""
        return _REMEMBERED_CHARACTERS

    async def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`. Tokens of `max_tokens` and `tokens_per_second` are words."""
        limits = AnswerLimits((), parameters.max_tokens)
        loop, pace = asyncio.get_running_loop(), parameters.tokens_per_second
        began, count = loop.time(), 0
        async with aclosing(self._generate(messages)) as events:
            async for event in events:
                if isinstance(event, Text):
                    limits.feed(event.text)
                if limits.reason is not None:
                    yield End(limits.reason)
                    return
                yield event
                count += isinstance(event, Text)
                if (
                    pace
                    and isinstance(event, Text)
                    and (wait := began + count / pace - loop.time()) > 0
                ):
                    await asyncio.sleep(wait)

    async def _generate(
        self, messages: Sequence[PromptMessage]
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield the reply as fast as it is consumed, except for `/slow`."""
        conversation = [_excerpt(line) for line in messages if line.role != "system"]
        pending = _unanswered(conversation)
        command = _COMMAND.match(pending[-1].content.strip()) if pending else None
        if command and command[1].lower() == "slow":
            async for piece in _slow_pieces(command[2]):
                yield Text(piece)
            yield End()
            return
        earlier = [
            line.content
            for line in conversation[: len(conversation) - len(pending)]
            if line.role == "user"
        ]
        facts: Facts = {}
        if not all(_COMMAND.match(line.content.strip()) for line in pending):
            facts = await _facts_of(earlier)
        for answer in _answers(pending, earlier, facts):
            for number, piece in enumerate(_pieces(answer), 1):
                yield Text(piece)
                if number % _WORDS_A_STEP == 0:
                    await asyncio.sleep(0)  # a stop takes effect here
        if command and command[1].lower() == "error":
            raise ModelUnavailable("This is the failure that /error asks for.")
        yield End()

    def complete(self, request: Mapping[str, Any], model: str) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`. Calls tools first, and fills schemas."""
        return demo_completions.complete(
            ChatRequest(request), lambda messages: self.reply(messages, model)
        )


def _excerpt(line: PromptMessage) -> PromptMessage:
    if len(line.content) <= _READ_CHARACTERS:
        return line
    half = _READ_CHARACTERS // 2
    start = graphemes.cut(line.content[: 2 * half], half)
    end = graphemes.cut_start(line.content[-2 * half :], half)
    return line._replace(content=f"{start} … {end}")


def _unanswered(conversation: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Return the user's messages since the last reply, which are answered together."""
    last = itertools.takewhile(lambda line: line.role == "user", reversed(conversation))
    return list(last)[::-1]


async def _facts_of(earlier: list[str]) -> Facts:
    """Return the facts that the messages of a conversation tell."""
    from assistant import demo_conversation

    facts: Facts = {}
    read = 0
    for number, text in enumerate(earlier):
        facts |= demo_conversation.facts_of(text, earlier[max(0, number - 5) : number])
        read += len(text)
        if read > _CHARACTERS_A_STEP:
            read = 0
            await asyncio.sleep(0)  # yield to the event loop
    return facts


def _answers(pending: list[PromptMessage], earlier: list[str], facts: Facts) -> Iterator[str]:
    """Return an answer to each of the new messages; `facts` come from earlier ones."""
    from assistant import demo_conversation

    for number, (_, text, files) in enumerate(pending):
        command = _COMMAND.match(text.strip())
        if command:
            answer = _run_command(command[1].lower(), command[2])
        elif files:
            language = demo_conversation.language_of(text, earlier)
            answer = "\n\n".join(demo_files.describe(file, language) for file in files)
        else:
            answer = demo_conversation.answer(text.strip(), earlier, facts)
            facts |= demo_conversation.facts_of(text, earlier)
        yield answer if number == 0 else f"\n\n{answer}"
        earlier.append(text)
    if not pending:
        yield "I am listening."


# Commands


def _run_command(command: str, argument: str | None) -> str:
    match command:
        case "help":
            return HELP
        case "markdown":
            return MARKDOWN
        case "lorem":
            words = _number(argument, default=50, most=MAX_WORDS)
            if words is None:
                return f"Say how many words: `/lorem 50`, from 1 to {MAX_WORDS:,}."
            return _lorem(words)
        case "slow":
            return "`/slow` works when it is the last thing that you say."
        case "error":
            return "This reply is about to fail"
    return f"I don't know the command `/{command[:40]}`.\n\n{HELP}"


def _number(argument: str | None, default: int, most: int) -> int | None:
    """Return a command's argument; None if it is not a whole number from 1 to `most`."""
    if argument is None:
        return default
    digits = argument.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    return int(digits) if 1 <= int(digits) <= most else None


def _lorem(count: int) -> str:
    """Return exactly `count` words, in sentences of twelve and paragraphs of five sentences."""
    words = list(itertools.islice(itertools.cycle(LOREM), count))
    sentences = [" ".join(words[i : i + 12]).capitalize() + "." for i in range(0, count, 12)]
    paragraphs = [" ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5)]
    return "\n\n".join(paragraphs)


async def _slow_pieces(argument: str | None) -> AsyncGenerator[str, None]:
    rate = _number(argument, default=5, most=MAX_TOKENS_A_SECOND)
    if rate is None:
        yield f"Say how many tokens a second: `/slow 5`, from 1 to {MAX_TOKENS_A_SECOND:,}."
        return
    for piece in _pieces(SLOW):
        yield piece
        await asyncio.sleep(1 / rate)


def _pieces(text: str) -> Iterator[str]:
    """Split a text into the tokens that are streamed: each word with its preceding space."""
    return (match[0] for match in _PIECE.finditer(text))
