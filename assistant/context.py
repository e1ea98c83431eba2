"""Build a prompt from a conversation: fit it into the context window, and normalize its roles."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from assistant import PromptMessage, attached
from core.errors import ModelRefused

DEFAULT_WINDOW = 8_192  # tokens, if the window is unknown
LARGEST_ANSWER = 1_024  # tokens reserved for the answer, at most a quarter of the window
_TOKENS_AN_IMAGE = 1_200  # of 1,024 × 1,024 pixels, for the models that take the most
_TOKENS_A_MESSAGE = 4  # for the template's text between messages
_CHARACTERS_A_TOKEN = 4  # in English, for which a window holds the most
_OVERESTIMATED = 4  # upper bound of the error, for the measured tokenizers
_KEPT_SHARE = 0.9  # of a window reported by a server; the template needs the rest

# Tokens per character of each kind: the highest ratios of six tokenizers (docs/models.md).
_LOWER, _UPPER, _DIGIT, _SPACE, _OTHER_ASCII = 0.33, 0.6, 1.0, 0.1, 0.8
_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = 0.95, 1.85, 3.2  # of UTF-8

_NUMBER = r"(\d{3,}(?:,\d{3})*)"
_LIMIT = re.compile(
    rf"{_NUMBER} (?:maximum|max)\b"
    rf"|(?:maximum|max|limit|context|window|at most|up to|less than|<=)[^0-9]{{0,40}}{_NUMBER}",
    re.I,
)
_NUMBERS = re.compile(_NUMBER)


def tokens(message: PromptMessage) -> int:
    """Estimate the tokens of a message; the estimate errs on the high side."""
    images = len(message.files) * _TOKENS_AN_IMAGE
    return tokens_of(message.content) + images + _TOKENS_A_MESSAGE


def tokens_of(text: str) -> int:
    """Estimate the tokens of a text by kinds of characters. Takes 1 ms per megabyte."""
    ascii_bytes = text.encode("ascii", "ignore")
    size = len(text.encode("utf-8", "replace"))
    four = len(text.encode("utf-16-le", "surrogatepass")) // 2 - len(text)
    # two + three + four = characters beyond ASCII; 2 two + 3 three + 4 four = their bytes
    beyond = len(text) - len(ascii_bytes)
    three = max(0, size - len(ascii_bytes) - 2 * beyond - 2 * four)
    lower, upper, digits, spaces = (
        len(ascii_bytes) - len(ascii_bytes.translate(None, kind))
        for kind in (_bytes(string.ascii_lowercase), _bytes(string.ascii_uppercase),
                     _bytes(string.digits), b" ")
    )  # fmt: skip
    others = len(ascii_bytes) - lower - upper - digits - spaces
    estimate = (
        lower * _LOWER
        + upper * _UPPER
        + digits * _DIGIT
        + spaces * _SPACE
        + others * _OTHER_ASCII
        + max(0, beyond - three - four) * _TWO_BYTES
        + three * _THREE_BYTES
        + four * _FOUR_BYTES
    )
    return int(estimate) + 1


def _bytes(characters: str) -> bytes:
    return characters.encode()


def characters(window: int) -> int:
    """Return the maximum number of characters that fit into a window of `window` tokens."""
    return window * _CHARACTERS_A_TOKEN


def fit(
    messages: Sequence[PromptMessage], window: int, answer: int = LARGEST_ANSWER
) -> list[PromptMessage]:
    """Return the system messages and as many of the latest other messages as fit, oldest first.

    `answer` tokens are reserved, at most a quarter of the window. The last message is included
    even if it may not fit: the server counts exactly. Raises `ModelRefused` if it can't fit.
    """
    filled = [message for message in messages if message.content.strip()]
    system = [message for message in filled if message.role == "system"]
    dialogue = [message for message in filled if message.role != "system"]
    left = window - min(answer, window // 4) - sum(map(tokens, system))
    kept: list[PromptMessage] = []
    for message in reversed(dialogue):
        left -= tokens(message)
        if left < 0 and kept:
            break
        kept.append(message)
    if kept and tokens(kept[0]) > max(window, 256) * _OVERESTIMATED:
        raise too_long(f"its window holds {window:,} tokens with the answer")
    return system + kept[::-1]


def shorter(
    prompt: Sequence[PromptMessage], window: int, answer: int, failure: str
) -> tuple[list[PromptMessage], int | None]:
    """Shorten a prompt that a server rejected as too long; return it and the server's window.

    Raises `ModelRefused` if it can't be shortened.
    """
    estimate = sum(map(tokens, prompt))
    limit = stated_limit(failure)
    target = estimate // 2
    if limit is not None:
        counted = max((int(n.replace(",", "")) for n in _NUMBERS.findall(failure)), default=limit)
        ratio = min(1.0, estimate / max(counted, limit))
        target = int(min(limit, window) * ratio * _KEPT_SHARE)
    system = [message for message in prompt if message.role == "system"]
    dialogue = [message for message in prompt if message.role != "system"]
    if len(dialogue) < 2:
        raise too_long(f"its window holds {limit:,} tokens" if limit else "the server refused it")
    return fit([*system, *dialogue[1:]], max(1, target), answer), limit


def stated_limit(failure: str) -> int | None:
    """Return the window that a server reports in its error, in tokens."""
    match = _LIMIT.search(failure)
    if match is None:
        return None
    limit = int((match[1] or match[2]).replace(",", ""))
    return limit if limit >= 256 else None


def too_long(why: str) -> ModelRefused:
    return ModelRefused(
        f"The message is too long for this model: {why}. Send it in parts, or choose another model."
    )


def as_sent(prompt: Sequence[PromptMessage]) -> list[dict[str, Any]]:
    """Return a prompt in the form that strict templates require (contract, section 8).

    One system message first, then alternating user and assistant messages, starting with the user.
    """
    system = "\n\n".join(message.content for message in prompt if message.role == "system")
    sent: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    dialogue = (message for message in prompt if message.role != "system")
    for role, group in groupby(dialogue, key=lambda message: message.role):
        if role == "user" or any(message["role"] == "user" for message in sent):
            said = list(group)
            content = "\n\n".join(message.content for message in said)
            images = [file for message in said for file in message.files]
            sent.append({"role": role, "content": attached.parts(content, images)})
    return sent
