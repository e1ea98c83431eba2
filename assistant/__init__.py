"""Model providers. A provider turns a conversation into a stream of reply events.

This package is independent of users, chats and sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:  # the annotations of protocols are not evaluated
    from assistant.events import ReplyEvent
    from assistant.pdf import PdfText
    from assistant.upstream import Response


class AttachedFile(NamedTuple):
    """A file of a message. `content` is all of it, or its beginning where all is not needed."""

    name: str
    content_type: str
    size: int  # bytes of the whole file
    content: bytes
    text: PdfText | None = None  # what was read of a PDF file

    @property
    def is_whole(self) -> bool:
        return len(self.content) == self.size


class PromptMessage(NamedTuple):
    """A message of the conversation, or the system prompt."""

    role: Literal["system", "user", "assistant"]
    content: str
    files: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameters:
    """Sampling parameters. None leaves a parameter to the provider.

    Only `quillium-demo` knows `tokens_per_second`; 0 is as fast as possible.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    tokens_per_second: int = 0


DEFAULT_PARAMETERS = Parameters()


class Provider(Protocol):
    """A source of replies for one or more models."""

    name: str

    def memory(self, model: str) -> int:
        """Return how many of a conversation's latest characters a model can use."""
        ...

    def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Stream the reply to the last of `messages` (oldest first), with an `End` as last event.

        Closing the generator cancels the work at once. Raises `ModelUnavailable`, `ModelRefused` or
        `ModelTimeout`; the events before the failure stay valid.
        """
        ...

    def complete(self, request: Mapping[str, Any], model: str) -> AsyncGenerator[ReplyEvent, None]:
        """Stream the response to an OpenAI "Chat Completions" request, with an `End` as last event.

        The caller's tools and schemas are used as they are. Raises what `reply` raises.
        """
        ...


@runtime_checkable
class Forwarding(Protocol):
    """A provider that is an OpenAI-compatible server, to which requests can be forwarded."""

    def forward(
        self, path: str, request: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Response]:
        """Send a request to an endpoint such as `/embeddings`; the response may have any status.

        Leaving the context closes the connection. Without a response, raises what `reply` raises.
        """
        ...
