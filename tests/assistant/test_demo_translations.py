"""Words in other languages."""

from __future__ import annotations

import pytest

from assistant import demo_translations
from assistant.demo_conversation import language_of


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("how do you say good morning in french?", "“good morning” is **bonjour** in French."),
        ("what is dog in japanese?", "**犬**"),
        ("was heißt danke auf spanisch?", "**gracias**"),
        ("comment dit-on chat en allemand ?", "**Katze**"),
        ("¿cómo se dice agua en inglés?", "**water**"),
        ("“谢谢”用法语怎么说？", "**merci**"),
        ("what is quantum in french?", None),
        ("what is dog in english?", None),
        ("hello", None),
    ],
)
def test_translations(asked: str, expected: str | None) -> None:
    answer = demo_translations.answer(asked, language_of(asked, []))
    assert (answer is None) if expected is None else expected in (answer or "")
