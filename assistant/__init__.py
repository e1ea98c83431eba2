"""Who speaks. A provider turns a conversation into a reply, piece by piece.

Nothing here knows of users, chats or sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from assistant.events import ReplyEvent


class PromptMessage(NamedTuple):
    """Something that was said in the conversation, or the system's word before it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a model is to answer. None leaves a parameter to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None


DEFAULT_PARAMETERS = Parameters()


class Provider(Protocol):
    """Something that can speak for one or more models."""

    name: str

    def memory(self, model: str) -> int:
        """The characters of a conversation that are of any use to a model, the latest ones."""
        ...

    def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Stream the reply to the last of `messages` (oldest first), closed by an `End`.

        Closing the generator ends the work at once. Raises `ModelUnavailable`, `ModelRefused` or
        `ModelTimeout`; the events before the failure stay valid.
        """
        ...
