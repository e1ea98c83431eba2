"""Opaque identifiers (contract, section 1): a prefix, an underscore, letters and digits."""

from __future__ import annotations

import random
import secrets
import string

ALPHABET = string.digits + string.ascii_letters

_LENGTH = 20  # 119 random bits, so collisions do not occur in practice

# Maps each byte to a character. The last 8 of the 256 are discarded to avoid modulo bias.
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_DISCARDED = bytes(range(256 - 256 % len(ALPHABET), 256))


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
    return f"{prefix}_{random_text(_LENGTH)}"
