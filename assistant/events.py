"""What a provider's reply consists of: a stream of events (contract, section 8).

A reply is any number of `Text`, `Reasoning` and `ToolCall` events, then exactly one `End`. A stream
that stops without an `End` broke off; a failure is raised, not yielded.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.records import FinishReason as FinishReason
from core.records import Usage as Usage


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of what a reasoning model thought before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call. Pieces with the same `index` belong together.

    `id` and `name` come with the first piece; `arguments` is the next part of a JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class End:
    """The regular end of a reply."""

    finish_reason: FinishReason = "stop"
    usage: Usage | None = None


ReplyEvent = Text | Reasoning | ToolCall | End
