"""Which language a text is in."""

from __future__ import annotations

import pytest

from assistant.demo_conversation import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("What is the capital of France?", "en"),
        ("Was ist die Hauptstadt von Frankreich?", "de"),
        ("Quelle est la capitale de la France ?", "fr"),
        ("¿Cuál es la capital de Francia?", "es"),
        ("法国的首都是哪里？", "zh"),
        ("GRÜẞE", "de"),
        ("", "en"),
        ("東京はどこですか", "en"),
        ("สวัสดี", "en"),
        ("2 + 2", "en"),
    ],
)
def test_a_text_has_a_language(text: str, code: str) -> None:
    assert language_of(text, []).code == code


def test_what_has_no_language_is_in_that_of_the_conversation() -> None:
    assert language_of("2 + 2", ["Bonjour, comment ça va ?"]).code == "fr"
    assert language_of("Und du?", ["Bonjour, comment ça va ?"]).code == "de"
