"""Opaque identifiers (contract, section 1): a prefix, an underscore, letters and digits."""

from __future__ import annotations

import random
import secrets
import string

ALPHABET = string.digits + string.ascii_letters


def random_text(length: int) -> str:
    """`length` characters of `[0-9A-Za-z]`, fit for secrets: 5.95 bits each.

    From one number out of the system's source, 64 bits longer than needed so that no character is
    likelier than another: a call for each character would cost ten times as much.
    """
    number = secrets.randbits(6 * length + 64)
    characters = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(characters)


def request_id() -> str:
    """A name for a request in a log. It keeps no secret, so it may be cheap."""
    return f"req_{random.getrandbits(96):024x}"


def new(prefix: str) -> str:
    """A new id such as `chat_3kTMd8vB2nQz0aRw7LxE`: 119 random bits, so that none comes twice."""
    return f"{prefix}_{random_text(20)}"
