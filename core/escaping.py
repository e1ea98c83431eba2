"""Text from users, made safe to show on a terminal or in a log."""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    r"""Write control, bidirectional and invisible characters as escapes, such as `\x1b`.

    So no name and no path can colour a terminal, reorder a line, or begin a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
