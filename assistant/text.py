"""Normalize model output for storage."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """Join surrogate pairs, and replace characters that messages can't contain with U+FFFD."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


class TextJoiner:
    """Joins pieces of a text; a surrogate pair may be split between two of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""

    def add(self, piece: str) -> str:
        """Return the text to send after this piece."""
        self._pieces.append(piece)
        piece = self._half + piece
        self._half = piece[-1] if piece and "\ud800" <= piece[-1] <= "\udbff" else ""
        return storable(piece[: len(piece) - len(self._half)])

    def end(self) -> str:
        """Return the remaining text at the end."""
        half, self._half = self._half, ""
        return storable(half)

    def missing_of(self, whole: str) -> str | None:
        """Return the part of `whole` after the pieces; None if it does not start with them."""
        received = "".join(self._pieces)
        return whole[len(received) :] if whole.startswith(received) else None


def overlap(text: str, sequence: str) -> int:
    """Return how many characters at the end of `text` are a prefix of `sequence`, but not all."""
    longest = min(len(sequence) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)
