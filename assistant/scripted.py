"""Scripted replies of a test backend (contract, section 11): they say exactly what a test wants."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from assistant import DEFAULT_PARAMETERS, Parameters, PromptMessage
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall, Usage
from core import errors
from core.errors import InvalidRequest, QuilliumError

_PIECE = re.compile(r"\s*\S+|\s+\Z")  # a text is streamed by words
FAILURES: dict[str, type[QuilliumError]] = {
    error.code: error
    for error in (errors.ModelUnavailable, errors.ModelRefused, errors.ModelTimeout)
}


class Scripts:
    """The scripted replies of a server. The first one that matches a message is its reply."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def replace(self, documents: Sequence[dict[str, Any]]) -> None:
        """Set the replies. Raises `InvalidRequest` for a pattern that is not one."""
        for number, document in enumerate(documents):
            try:
                re.compile(document["match"].get("pattern", ""))
            except re.error as error:
                raise InvalidRequest(f"replies.{number}.match.pattern: {error}") from None
        self.documents = list(documents)

    def find(self, said: str, model: str) -> Scripted | None:
        """Return the reply to a message for a model; None if none is scripted."""
        for document in self.documents:
            if _matches(document["match"], said, model):
                return Scripted(document["reply"])
        return None


def _matches(match: Mapping[str, str], said: str, model: str) -> bool:
    return (
        match.get("content", said).strip() == said.strip()
        and re.search(match.get("pattern", ""), said) is not None
        and match.get("model", model) == model
    )


class Scripted:
    """The provider of one scripted reply."""

    name = "scripted"

    def __init__(self, reply: dict[str, Any]) -> None:
        self._reply = reply

    def memory(self, model: str) -> int:
        """See `assistant.Provider`."""
        return 0

    def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`."""
        return self._events()

    def complete(self, request: Mapping[str, Any], model: str) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`."""
        return self._events()

    async def _events(self) -> AsyncGenerator[ReplyEvent, None]:
        reply = self._reply
        loop = asyncio.get_running_loop()
        await asyncio.sleep(reply.get("first_after_ms", 0) / 1000)
        began, pace = loop.time(), reply.get("tokens_per_second", 0)
        for number, event in enumerate(_pieces(reply)):
            if pace:
                await asyncio.sleep(began + number / pace - loop.time())
            yield event
        if "error" in reply:
            raise errors.of(FAILURES[reply["error"]], "This failure was scripted.")
        usage = reply.get("usage")
        reason = "tool_calls" if "tool_calls" in reply else "stop"
        yield End(reply.get("finish_reason", reason), Usage(**usage) if usage else None)


def _pieces(reply: Mapping[str, Any]) -> list[ReplyEvent]:
    chunks = reply.get("chunks") or _PIECE.findall(reply.get("text", ""))
    calls = enumerate(reply.get("tool_calls", []))
    return [
        *(Reasoning(piece) for piece in _PIECE.findall(reply.get("reasoning") or "")),
        *(Text(chunk) for chunk in chunks),
        *(ToolCall(n, f"call_{n}", call["name"], call["arguments"]) for n, call in calls),
    ]
