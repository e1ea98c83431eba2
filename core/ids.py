"""Opaque identifiers (contract, section 1): a prefix, an underscore, letters and digits."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.digits + string.ascii_letters


def random_text(length: int) -> str:
    """`length` characters of `[0-9A-Za-z]`, fit for secrets: 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new(prefix: str) -> str:
    """A new id such as `chat_3kTMd8vB2nQz0aRw7LxE`: 119 random bits, so that none comes twice."""
    return f"{prefix}_{random_text(20)}"
