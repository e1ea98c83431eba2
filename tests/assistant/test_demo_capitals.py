"""The table of capitals."""

from __future__ import annotations

import pytest

from assistant import demo_capitals
from assistant.demo_conversation import LANGUAGES, language_of

CODES = [language.code for language in LANGUAGES]


@pytest.mark.parametrize("code", CODES)
def test_the_table_is_complete(code: str) -> None:
    countries = demo_capitals.countries(code)
    assert len(countries) >= 120
    assert len({country.name for country in countries}) == len(countries)
    for country in countries:
        assert country.name.strip() == country.name != ""
        assert country.capital.strip() == country.capital != ""
        assert (code == "zh") == any("\u3400" <= c <= "\u9fff" for c in country.capital)


@pytest.mark.parametrize(
    ("asked", "before", "expected"),
    [
        ("what is the capital of the usa?", "", "**Washington, D.C.**"),
        ("capital of peru and chile", "", "**Lima**.\n\nThe capital of Chile is **Santiago**"),
        ("and of spain?", "the capital of france?", "**Madrid**"),
        ("and of spain?", "hello", None),
        ("and that?", "the capital of france?", None),
        ("a table of capitals", "", "| France | Paris |"),
        ("the capital?", "", "The capital of which country?"),
        ("what is the capital of narnia?", "", "don't recognise"),
        ("hauptstadt der schweiz?", "", "**Bern**"),
        ("quelle est la capitale du pérou ?", "", "**Lima**"),
        ("印度尼西亚的首都是什么？", "", "印度尼西亚的首都是**雅加达**。"),
        ("hello", "", None),
    ],
)
def test_capitals(asked: str, before: str, expected: str | None) -> None:
    answer = demo_capitals.answer(asked, before, language_of(asked, [before]))
    assert (answer is None) if expected is None else expected in (answer or "")
