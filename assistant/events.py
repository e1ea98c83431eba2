"""The events of a provider's reply stream (contract, section 8).

A reply is any number of `Text`, `Reasoning` and `ToolCall` events, then exactly one `End`. A stream
that stops without an `End` is incomplete; a failure is raised, not yielded.
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
    """A piece of the reasoning before the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call. Pieces of the same call have the same `index`.

    The first piece has `id` and `name`; `arguments` is the next part of a JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class End:
    """The normal end of a reply."""

    finish_reason: FinishReason = "stop"
    usage: Usage | None = None


ReplyEvent = Text | Reasoning | ToolCall | End
