"""Escape text from users for display on a terminal or in a log."""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    r"""Replace control, bidirectional and invisible characters with escapes such as `\x1b`.

    This keeps names and paths from colouring a terminal, reordering a line or starting a new one.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
