"""Escaping user text for terminals."""

from __future__ import annotations

import pytest

from core.escaping import escape_unprintable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("日本語 é 🪶", "日本語 é 🪶"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        ("a\u202eb", r"a\u202eb"),
        ("admin\u200b", r"admin\u200b"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert escape_unprintable(text) == shown
