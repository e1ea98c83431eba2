"""What an audience asks, in each language."""

from __future__ import annotations

import string

import pytest

from assistant import demo_conversation
from assistant.demo_conversation import LANGUAGES
from assistant.demo_facts import Facts
from assistant.demo_language import Language


def converse(*texts: str) -> str:
    """The answer to the last text."""
    earlier: list[str] = []
    facts: Facts = {}
    for text in texts:
        answer = demo_conversation.answer(text, earlier, facts)
        facts |= demo_conversation.facts_of(text, earlier)
        earlier.append(text)
    return answer


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_each_language_has_the_same_phrases(language: Language) -> None:
    def form(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english = LANGUAGES[0].phrases
    assert language.phrases.keys() == english.keys()
    for key, text in language.phrases.items():
        # A topic can't be put into a sentence in all languages.
        assert form(text) <= form(english[key]), key


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Who are you?", "made of rules"),
        ("Are you ChatGPT?", "no language model"),
        ("What can you do?", "**remember**"),
        ("Write a haiku about the sea", "Waves write on the sand"),
        ("Explain recursion", "**Recursion**"),
        ("Show me a table", "| Mercury |"),
        ("Plan a weekend in Lisbon", "### Day 1"),
        ("How high is Mount Everest?", "I am only a demo"),
        ("Wer bist du?", "Ich bin `quillium-demo`"),
        ("Was kannst du?", "**merken**"),
        ("Schreib ein Gedicht", "Feder und Tinte"),
        ("Erkläre Rekursion", "**Rekursion**"),
        ("Zeig mir eine Tabelle", "| Merkur |"),
        ("Wie hoch ist der Mount Everest?", "Ich bin nur eine Demo"),
        ("Qui êtes-vous ?", "Je suis `quillium-demo`"),
        ("Que savez-vous faire ?", "**retenir**"),
        ("Écris un haïku", "Une plume"),
        ("Explique la récursivité", "**récursivité**"),
        ("Montre-moi un tableau", "| Mercure |"),
        ("¿Quién eres?", "Soy `quillium-demo`"),
        ("¿Qué puedes hacer?", "**recordar**"),
        ("Escribe un haiku", "Pluma con tinta"),
        ("Explica la recursión", "**recursión**"),
        ("Muéstrame una tabla", "| Mercurio |"),
        ("你是谁？", "我是 `quillium-demo`"),
        ("你能做什么？", "**记住**"),
        ("写一首俳句", "一支笔"),
        ("解释一下递归", "**递归**"),
        ("给我一个表格", "| 水星 |"),
        ("7 / 0", "divided by zero"),
        ("今天心情不错", "请再多说一点"),
    ],
)
def test_what_an_audience_asks(asked: str, expected: str) -> None:
    assert expected in converse(asked)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("Ich heiße Ada", "Danke"), "Gern geschehen, Ada."),
        (("我叫小明", "谢谢"), "不客气，小明。"),
        (("Bonjour", "Salut"), "Ravi de vous relire"),
        (("Guten Tag", "Und was ist 2 + 2?", "Was habe ich zuerst gesagt?"), "„Guten Tag“"),
        (("Hola", "Resume nuestra conversación"), "1. Hola"),
        (("What did I just say?",), "first message"),
        (("I live in Bonn. Where do I live?",), "you live in Bonn"),
    ],
)
def test_a_conversation(said: tuple[str, ...], expected: str) -> None:
    assert expected in converse(*said)


def test_topics_and_quotes_are_whole() -> None:
    assert converse("İstanbul güzel").endswith("Tell me more about İstanbul.")
    assert "น้ำตก" in converse("น้ำตก")
    assert converse("The cafe\u0301s here").endswith("about caf\xe9s.")
    quoted = converse("a" * 77 + "e\u0301" * 9)
    assert f"“{'a' * 77}e\u0301…”" in quoted


def test_a_long_message_is_answered_soon() -> None:
    for text in ("plan " * 400, "my x is " * 250, "what my " * 250, "1+" * 900, "é" * 2000):
        assert converse(text, text)
