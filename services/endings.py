"""Classify the end of a reply. A reply without text is reported as failed (contract, section 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from assistant.events import End
from core.errors import ModelRefused, ModelUnavailable, QuilliumError
from core.records import FinishReason, Status, Usage

_MAX_TOOL_NAMES = 3
_MAX_NAME_CHARACTERS = 60
_MAX_TOKENS = 2**53 - 1


class Ending(NamedTuple):
    """The final status of a reply, with its provider's finish reason and usage."""

    status: Status
    error: QuilliumError | None = None
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


def broken_off() -> Ending:
    """Return the ending for a stream that stopped without an `End` or failed unexpectedly."""
    return Ending("failed", ModelUnavailable("The model stopped in the middle of its reply."))


def ended(end: End, text: str, reasoning: str | None, tools: Iterable[str]) -> Ending:
    """Return the ending for a reply that consists of `text`, `reasoning` and calls of `tools`.

    A reply with text is complete; its `finish_reason` says whether it was truncated. Without text,
    the reply has failed, with an error that explains why.
    """
    usage = end.usage if end.usage is not None and _is_plausible(end.usage) else None
    if text.strip():
        return Ending("complete", None, end.finish_reason, usage)
    return Ending("failed", _explanation(end, reasoning, tools), end.finish_reason, usage)


def _is_plausible(usage: Usage) -> bool:
    """Return whether a provider's token counts are integers that JavaScript can represent."""
    return all(
        0 <= tokens <= _MAX_TOKENS for tokens in (usage.prompt_tokens, usage.completion_tokens)
    )


def _explanation(end: End, reasoning: str | None, tools: Iterable[str]) -> QuilliumError:
    names = [name[:_MAX_NAME_CHARACTERS] for name in dict.fromkeys(tools)]
    if names or end.finish_reason == "tool_calls":
        named = f" ({', '.join(names[:_MAX_TOOL_NAMES])})" if names else ""
        return ModelRefused(
            f"The model called a tool{named} instead of replying; chats offer no tools."
        )
    if end.finish_reason == "content_filter":
        return ModelRefused("The provider's content filter withheld the reply.")
    if end.finish_reason == "length":
        if reasoning:
            return ModelUnavailable(
                "The model reached its token limit while reasoning, before it wrote a reply."
            )
        return ModelUnavailable("The model reached its token limit before it wrote a reply.")
    if reasoning:
        return ModelUnavailable("The model sent only its reasoning and no reply.")
    return ModelUnavailable("The model sent an empty reply.")
