"""Opaque identifiers (contract, section 1): a prefix, an underscore, letters and digits."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Iterator

ALPHABET = string.digits + string.ascii_letters

_LENGTH = 20  # 119 random bits, so that none comes twice
_AT_ONCE = 200

# Each byte stands for a character; the last 8 of the 256 for none, so that none is likelier.
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_NOT_EVEN = bytes(range(256 - 256 % len(ALPHABET), 256))


def random_text(length: int) -> str:
    """`length` characters of `[0-9A-Za-z]`, fit for secrets: 5.95 bits each."""
    text = b""
    while len(text) < length:
        text += secrets.token_bytes(2 * length).translate(_CHARACTERS, _NOT_EVEN)
    return text[:length].decode("ascii")


def request_id() -> str:
    """A name for a request in a log. It keeps no secret, so it may be cheap."""
    return f"req_{random.getrandbits(96):024x}"


def new(prefix: str) -> str:
    """A new id such as `chat_3kTMd8vB2nQz0aRw7LxE`. Not to be called from two threads."""
    return f"{prefix}_{next(_ids)}"


def _texts() -> Iterator[str]:
    """Endless. Fetched by the hundred: whoever asks the system lets other threads go first."""
    while True:
        text = random_text(_LENGTH * _AT_ONCE)
        yield from (text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH))


_ids = _texts()
