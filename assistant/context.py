"""What a model is given of a conversation: what its window holds, and never half a message."""

from __future__ import annotations

from collections.abc import Sequence

from assistant import PromptMessage
from core.errors import ModelRefused

DEFAULT_WINDOW = 8_192  # tokens, where a server doesn't tell its own figure
# A rule of thumb, on the safe side for English: a token is about four characters.
_BYTES_A_TOKEN = 3
_TOKENS_A_MESSAGE = 4  # for what stands between messages
_LARGEST_ANSWER = 1_024  # tokens that are kept free, but no more than a quarter of the window


def tokens(line: PromptMessage) -> int:
    """About how many tokens it takes: one for 3 bytes of UTF-8, and 4 for the message."""
    return len(line.content.encode("utf-8")) // _BYTES_A_TOKEN + 1 + _TOKENS_A_MESSAGE


def characters(window: int) -> int:
    """The most characters that a window of so many tokens can hold."""
    return window * _BYTES_A_TOKEN


def fit(lines: Sequence[PromptMessage], window: int) -> list[PromptMessage]:
    """What the system says, and as many of the latest messages as fit, oldest first.

    Raises `ModelRefused` when not even the last message fits.
    """
    system = [line for line in lines if line.role == "system"]
    said = [line for line in lines if line.role != "system"]
    left = window - min(_LARGEST_ANSWER, window // 4) - sum(map(tokens, system))
    kept: list[PromptMessage] = []
    for line in reversed(said):
        left -= tokens(line)
        if left < 0:
            break
        kept.append(line)
    if said and not kept:
        raise ModelRefused(
            f"The message is too long for this model: about {tokens(said[-1]):,} tokens, and its"
            f" window holds {window:,} with the answer. Send it in parts, or choose another model."
        )
    return system + kept[::-1]
