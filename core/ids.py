"""Opaque identifiers (contract, section 1): a prefix, an underscore, letters and digits."""

from __future__ import annotations

import random
import secrets
import string
from collections import Counter
from collections.abc import Mapping

ALPHABET = string.digits + string.ascii_letters

_LENGTH = 20  # 119 random bits, so collisions do not occur in practice

# Maps each byte to a character. The last 8 of the 256 are discarded to avoid modulo bias.
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_DISCARDED = bytes(range(256 - 256 % len(ALPHABET), 256))

_counts: Counter[str] | None = None  # of ids by prefix, in a test backend that is deterministic


def random_text(length: int) -> str:
    """Return `length` random characters of `[0-9A-Za-z]`, safe for secrets: 5.95 bits each."""
    text = b""
    while len(text) < length:
        text += secrets.token_bytes(2 * length).translate(_CHARACTERS, _DISCARDED)
    return text[:length].decode("ascii")


def request_id() -> str:
    """Return a request id for the log. It is not a secret, so a fast generator is enough."""
    return f"req_{random.getrandbits(96):024x}"


def new(prefix: str) -> str:
    """Return a new id such as `chat_3kTMd8vB2nQz0aRw7LxE`."""
    if _counts is not None:
        _counts[prefix] += 1
        return f"{prefix}_{_counts[prefix]:0{_LENGTH}d}"
    return f"{prefix}_{random_text(_LENGTH)}"


def count(counts: Mapping[str, int] | None) -> None:
    """Make new ids count up from the last number of each prefix; None makes them random again."""
    global _counts
    _counts = None if counts is None else Counter(counts)


def counts() -> dict[str, int] | None:
    """Return the last number of each prefix; None if ids are random."""
    return None if _counts is None else dict(_counts)
