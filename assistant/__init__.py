"""Who speaks. A provider turns a conversation into a reply, piece by piece.

Nothing here knows of users, chats or sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, NamedTuple, Protocol


class PromptMessage(NamedTuple):
    """Something that was said in the conversation, or the system's word before it."""

    role: Literal["system", "user", "assistant"]
    content: str


class Provider(Protocol):
    """Something that can speak for one or more models."""

    name: str

    def memory(self, model: str) -> int:
        """The characters of a conversation that are of any use to a model, the latest ones."""
        ...

    def reply(self, messages: Sequence[PromptMessage], model: str) -> AsyncGenerator[str, None]:
        """The reply to the last of `messages` (oldest first), in pieces that make the text.

        Cancelling ends the work at once. Raises `ModelUnavailable`, `ModelRefused` or
        `ModelTimeout`; what was said before stays said.
        """
        ...
