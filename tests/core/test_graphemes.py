"""Words and cuts that keep visible characters whole."""

from __future__ import annotations

import pytest

from core import graphemes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("İstanbul'da i\u0307", ["İstanbul", "da", "i\u0307"]),
        ("Cafe\u0301 crème", ["Café", "crème"]),
        ("ที่นี่ น้ำ", ["ที่นี่", "น้ำ"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("a_b, c-d!", ["a_b", "c", "d"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert graphemes.words(text) == words


@pytest.mark.parametrize(
    ("text", "most", "start", "end"),
    [
        ("abc", 3, "abc", "abc"),
        ("abc", 2, "ab", "bc"),
        ("ae\u0301", 2, "a", "e\u0301"),
        ("ถ้ำ", 2, "", ""),
        ("👩‍👩‍👧a", 3, "", "a"),
        ("👍🏽a", 1, "", "a"),
        ("🇩🇪🇫🇷", 3, "🇩🇪", "🇫🇷"),
        ("\u1112\u1161\u11abx", 2, "", "x"),
        ("❤\ufe0fa", 1, "", "a"),
    ],
)
def test_a_cut_keeps_characters_whole(text: str, most: int, start: str, end: str) -> None:
    assert graphemes.cut(text, most) == start
    assert graphemes.cut_start(text, most) == end
