"""`quillium-demo`: a rule-based assistant for front-end development.

It answers in context, needs no network, and is deterministic.
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
    arithmetic,
    demo_completions,
)
from assistant.answer_limits import AnswerLimits
from assistant.chat_request import ChatRequest
from assistant.demo_texts import HELP, LOREM, MARKDOWN, SLOW
from assistant.events import End, ReplyEvent, Text
from core.errors import ModelUnavailable

MAX_WORDS = 10_000
MAX_TOKENS_A_SECOND = 1_000
_QUOTED_CHARACTERS = 80
_READ_CHARACTERS = 2_000  # of a message; parsing more would block the event loop
_REMEMBERED_CHARACTERS = 50_000  # of a conversation
# Between yields to the event loop: well under a millisecond of work.
_CHARACTERS_A_STEP = 2_000  # characters
_WORDS_A_STEP = 100  # words
_COMPARED_MESSAGES = 20  # searched for a common topic

_COMMAND = re.compile(r"/([a-z]+)(?:\s+(\S.*))?\Z", re.IGNORECASE | re.DOTALL)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]?")
_FACT = re.compile(
    r"\bmy ([\w' -]{1,40}?) (?:is|are) (?:called )?([^.,;!?\n]{1,80})", re.IGNORECASE
)
_NAME = re.compile(
    r"(?i:\bcall me|\bi am called|\bi'm called) ([A-Z\u00c0-\u024f][\w'-]{0,40})"
    r"|(?i:\bi am|\bi'm) ([A-Z\u00c0-\u024f][\w'-]{0,40})(?=[.,!]|\Z)"
)
_FACT_PHRASES = (
    "my ",
    "call me",
    "i am",
    "i'm",
)  # both patterns only match texts with one of these
_FACT_ASKED = re.compile(r"\b(?:what|who|which|where)(?:'s| is| are|s) my ([\w' -]{1,40})", re.I)
_COMMON_WORDS = frozenset(
    """about after again also because been before could does from have here into just like made make
    many more most much only other over really said same should some something tell than that their
    them then there these they thing think this those very want was well were what when where which
    while with would your""".split()  # noqa: SIM905
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
        """See `assistant.Provider`. Supports only `max_tokens`, counted in words."""
        limits = AnswerLimits((), parameters.max_tokens)
        async with aclosing(self._generate(messages)) as events:
            async for event in events:
                if isinstance(event, Text):
                    limits.feed(event.text)
                if limits.reason is not None:
                    yield End(limits.reason)
                    return
                yield event

    async def _generate(
        self, messages: Sequence[PromptMessage]
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Yield the reply as fast as it is consumed, except for `/slow`."""
        conversation = [_excerpt(line) for line in messages if line.role != "system"]
        pending = _unanswered(conversation)
        command = _COMMAND.match(pending[-1].strip()) if pending else None
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
        facts: dict[str, str] = {}
        read = 0
        for text in earlier:
            facts |= _facts(text)
            read += len(text)
            if read > _CHARACTERS_A_STEP:
                read = 0
                await asyncio.sleep(0)  # yield to the event loop
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
    return line._replace(content=f"{line.content[:half]} … {line.content[-half:]}")


def _unanswered(conversation: Sequence[PromptMessage]) -> list[str]:
    """Return the user's messages since the last reply, which are answered together."""
    last = itertools.takewhile(lambda line: line.role == "user", reversed(conversation))
    return [line.content for line in last][::-1]


def _answers(pending: list[str], earlier: list[str], facts: dict[str, str]) -> Iterator[str]:
    """Return an answer to each of the new messages; `facts` come from earlier ones."""
    for number, text in enumerate(pending):
        command = _COMMAND.match(text.strip())
        if command:
            answer = _run_command(command[1].lower(), command[2])
        else:
            answer = _converse(text.strip(), earlier, facts)
        yield answer if number == 0 else f"\n\n{answer}"
        earlier.append(text)
        facts |= _facts(text)
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
    return (match[0] for match in re.finditer(r"\s*\S+|\s+\Z", text))


# Conversation


def _converse(text: str, earlier: list[str], facts: dict[str, str]) -> str:
    """Return the answer to one message, by the first rule that matches."""
    plain = re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'"))
    words = plain.split()
    new_facts = _facts(text)
    name = new_facts.get("name") or facts.get("name")
    pending = _FACT_ASKED.search(text)
    if pending:
        return _recall_fact(pending[1].strip().lower(), facts)
    if _recalls_conversation(plain):
        return _recall_messages(plain, earlier)
    if new_facts:
        return _acknowledge(new_facts)
    if calculated := arithmetic.calculate(text):
        return calculated
    if words and words[0] in {"hi", "hello", "hey", "hallo", "moin", "hola", "bonjour", "ciao"}:
        greeting = f"Hello{f', {name}' if name else ''}!"
        again = "Good to hear from you again." if earlier else "I am the built-in demo assistant."
        return f"{greeting} {again} What would you like to talk about?"
    if re.search(r"\bhow are you\b|\bhow's it going\b", plain):
        return "I am well, thank you: no network, no worries. And you?"
    if re.search(
        r"\bwho are you\b|\bwhat are you\b|\bwhat can you do\b|\bwhat's your name\b", plain
    ):
        return (
            "I am `quillium-demo`, a small assistant made of rules. I remember what you say in"
            " this conversation, and commands shape my replies: try `/help`."
        )
    if re.search(r"\b(thanks|thank you|thx|danke|merci|gracias)\b", plain):
        return f"You are welcome{f', {name}' if name else ''}."
    if re.search(r"\b(bye|goodbye|see you|good night|ciao)\b", plain):
        return f"Goodbye{f', {name}' if name else ''}! I will be here."
    return _fallback(text, earlier)


def _facts(text: str) -> dict[str, str]:
    """Return the facts about the user in the texts, such as `{"name": "Ada", "dog": "Rex"}`."""
    facts: dict[str, str] = {}
    lowered = text.lower()
    if not any(words in lowered for words in _FACT_PHRASES):
        return facts  # the usual case; this check is faster than the expressions
    for sentence in _SENTENCE.findall(text):
        if sentence.endswith("?"):
            continue
        for match in _FACT.finditer(sentence):
            facts[match[1].strip().lower()] = match[2].strip()
        for match in _NAME.finditer(sentence):
            facts["name"] = match[1] or match[2]
    return facts


def _acknowledge(new_facts: dict[str, str]) -> str:
    if "name" in new_facts:
        return f"Nice to meet you, {new_facts['name']}! I will remember your name."
    topic, value = next(iter(new_facts.items()))
    return f"Noted: your {topic} – {value}. Ask me about it whenever you like."


def _recall_fact(topic: str, facts: dict[str, str]) -> str:
    if topic in facts:
        return f"You told me: your {topic} is {facts[topic]}."
    return f"You haven't told me yet. Say “my {topic} is …” and I will remember it."


def _recalls_conversation(plain: str) -> bool:
    return bool(
        re.search(r"\b(summari[sz]e|summary|recap)\b", plain)
        or re.search(r"\bwhat (did|have) (i|we) \w+", plain)
        or re.search(r"\bwhat was my (first|last|previous)\b", plain)
    )


def _recall_messages(plain: str, earlier: list[str]) -> str:
    if not earlier:
        return "Nothing yet: this is the first thing that you say in this conversation."
    if re.search(r"\bfirst\b", plain):
        return f"The first thing that you said was: “{_quote(earlier[0])}”"
    if re.search(r"\b(last|just|previous|before)\b", plain):
        return f"Just before, you said: “{_quote(earlier[-1])}”"
    listed = "\n".join(f"{n}. {_quote(text)}" for n, text in enumerate(earlier[-10:], 1))
    which = f"The last 10 of your {len(earlier)} messages" if len(earlier) > 10 else "You said"
    return f"{which}:\n\n{listed}"


def _fallback(text: str, earlier: list[str]) -> str:
    """Return the answer if no rule matches: quote the message, and refer to an earlier one."""
    kind = "asked" if text.endswith("?") else "said"
    answer = f"You {kind}: “{_quote(text)}”"
    topics = _topics(text)
    for before in reversed(earlier[-_COMPARED_MESSAGES:]):
        shared = next((word for word in topics if word in _topics(before)), None)
        if shared:
            answer += f"\n\nThat goes with what you said about {shared}: “{_quote(before)}”"
            break
    if kind == "asked":
        disclaimer = "I am only a demo and know no more than you told me"
        return f"{answer}\n\n{disclaimer}; `/help` shows what I can do."
    if topics:
        return f"{answer}\n\nTell me more about {topics[0]}."
    return f"{answer}\n\nTell me more."


def _topics(text: str) -> list[str]:
    """Return the content words of a text, longest first."""
    words = dict.fromkeys(re.findall(r"\w{4,}", text.lower()))
    return sorted((word for word in words if word not in _COMMON_WORDS), key=len, reverse=True)


def _quote(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _QUOTED_CHARACTERS:
        return line
    return line[: _QUOTED_CHARACTERS - 1].rstrip() + "…"
