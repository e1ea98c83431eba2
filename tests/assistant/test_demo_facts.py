"""What users tell about themselves, and the questions about it."""

from __future__ import annotations

import pytest

from assistant import demo_facts
from assistant.demo_conversation import facts_of, language_of


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("My name is Ada and my dog is called Rex.", {"name": "Ada", "dog": "Rex"}),
        ("I'm Ada. I live in Berlin and work as a nurse", {"name": "Ada", "home": "Berlin", "job": "a nurse"}),
        ("My favourite colours are red, and I am 34 years old", {"favourite colours": "red", "age": "34"}),
        ("I have a cat named Tom", {"cat": "Tom"}),
        ("Ich heiße Ada und meine Katze heißt Tom.", {"name": "Ada", "katze": "Tom"}),
        ("Ich wohne in Bern.", {"home": "Bern"}),
        ("Je m'appelle Ada et mon chien s'appelle Rex.", {"name": "Ada", "chien": "Rex"}),
        ("J'habite à Lyon", {"home": "Lyon"}),
        ("Me llamo Ada y mi perro se llama Rex.", {"name": "Ada", "perro": "Rex"}),
        ("Tengo 34 años", {"age": "34"}),
        ("我叫小明，我的狗叫旺财。", {"name": "小明", "狗": "旺财"}),
        ("Is my dog called Rex?", {}),
        ("我的狗叫什么？", {}),
        ("Hello", {}),
    ],
)  # fmt: skip
def test_facts_that_are_told(text: str, facts: dict[str, str]) -> None:
    assert {key: told.value for key, told in facts_of(text, []).items()} == facts


@pytest.mark.parametrize(
    ("told", "asked", "expected"),
    [
        ("My dog is called Rex", "What is my dog called?", "your dog is called Rex"),
        ("My dog is called Rex", "do you know my dog's name?", "your dog is called Rex"),
        ("My dog is called Rex", "What is my cat called?", "“my cat is …”"),
        ("I live in Paris", "where do I live", "you live in Paris"),
        ("I live in Paris", "What do you know about me?", "- you live in Paris"),
        ("Hello", "What do you know about me?", "Nothing yet"),
        ("Mein Hund heißt Rex", "Wie heißt mein Hund?", "dein Hund heißt Rex"),
        ("Mon chien s'appelle Rex", "Comment s'appelle mon chien ?", "votre chien s'appelle Rex"),
        ("Mi perro se llama Rex", "¿Cómo se llama mi perro?", "tu perro se llama Rex"),
        ("我的狗叫旺财", "我的狗叫什么？", "你的狗叫旺财"),
    ],
)
def test_facts_that_are_asked_for(told: str, asked: str, expected: str) -> None:
    facts = facts_of(told, [])
    answer = demo_facts.recall(asked.lower(), facts, language_of(asked, [told]))
    assert expected in (answer or "")


def test_other_questions_are_not_about_facts() -> None:
    language = language_of("What is this?", [])
    assert demo_facts.recall("what is this?", {}, language) is None
