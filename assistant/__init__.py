"""Who speaks. A provider turns a conversation into a reply, piece by piece.

Nothing here knows of users, chats or sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from assistant.events import ReplyEvent
from assistant.upstream import Response


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

    def complete(self, request: Mapping[str, Any], model: str) -> AsyncGenerator[ReplyEvent, None]:
        """Stream the answer to a request of OpenAI's "Chat Completions", closed by an `End`.

        Tools, schemas and the like are the caller's. Raises what `reply` raises.
        """
        ...


@runtime_checkable
class Forwarding(Protocol):
    """A provider that is an OpenAI-compatible server itself: requests can go there as they are."""

    def forward(
        self, path: str, request: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request to an endpoint such as `/embeddings`; the response has any status.

        To leave the context is to hang up. Raises what `reply` raises where no response comes.
        """
        ...
