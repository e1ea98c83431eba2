"""The conversation of `quillium-demo`: one message in, one answer out, in the message's language.

The rules are the same for all languages, whose patterns and texts are data in modules of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assistant import arithmetic, demo_capitals, demo_code, demo_facts, demo_translations
from assistant.demo_chinese import CHINESE
from assistant.demo_english import ENGLISH
from assistant.demo_facts import Facts
from assistant.demo_french import FRENCH
from assistant.demo_german import GERMAN
from assistant.demo_language import Language, recognise
from assistant.demo_spanish import SPANISH
from core import graphemes

LANGUAGES = (ENGLISH, GERMAN, FRENCH, SPANISH, CHINESE)
_LANGUAGE_MESSAGES = 5  # the latest messages, by which the language is recognised
_QUOTED_CHARACTERS = 80
_COMPARED_MESSAGES = 20  # searched for a common topic
_COMPARED_CHARACTERS = 500  # of each
_TOPIC_LENGTHS = range(4, 25)  # longer ones are sentences in a script without spaces
_LISTED_MESSAGES = 10


def answer(text: str, earlier: Sequence[str], facts: Facts) -> str:
    """Return the answer to one message. `facts` are those of the earlier messages."""
    language = language_of(text, earlier)
    plain = _plain(text)
    told = demo_facts.stated_in(text, language)
    name = (told | facts).get("name")
    answered = (
        _remind(plain, earlier, language)
        or demo_facts.recall(plain, facts | told, language)
        or _note(told, language)
        or _calculate(text, language)
        or _know(plain, earlier, language)
        or _greet(plain, earlier, language)
        or _by_rule(plain, language)
        or _reflect(text, plain, earlier, language)
    )
    address = language.phrases["address"].format(name=name.value) if name else ""
    return answered.replace("{name}", address)


def language_of(text: str, earlier: Sequence[str]) -> Language:
    """Return the language to answer in: that of the text, or of the conversation."""
    return recognise([*earlier[-_LANGUAGE_MESSAGES:], text], LANGUAGES, ENGLISH)


def facts_of(text: str, earlier: Sequence[str]) -> Facts:
    """Return the facts that a message tells."""
    return demo_facts.stated_in(text, language_of(text, earlier))


def _plain(text: str) -> str:
    """Return a text in the form that patterns see."""
    lowered = unicodedata.normalize("NFC", text).lower()
    return " ".join(re.sub(r"[’‘´`]", "'", lowered).split())


def _remind(plain: str, earlier: Sequence[str], language: Language) -> str | None:
    """Answer a question about the conversation itself."""
    phrases = language.phrases
    is_first = language.first_message.search(plain)
    is_last = language.last_message.search(plain)
    if not (is_first or is_last or language.recap.search(plain)):
        return None
    if not earlier:
        return phrases["nothing_yet"]
    if is_first:
        return phrases["first_was"].format(quote=_quote(earlier[0]))
    if is_last:
        return phrases["last_was"].format(quote=_quote(earlier[-1]))
    latest = earlier[-_LISTED_MESSAGES:]
    listed = "\n".join(f"{number}. {_quote(text)}" for number, text in enumerate(latest, 1))
    form = phrases["said_last" if len(earlier) > len(latest) else "said_all"]
    return form.format(list=listed, count=len(earlier))


def _note(told: Facts, language: Language) -> str | None:
    """Confirm the facts of a message."""
    if not told:
        return None
    others = [fact.mirrored for key, fact in told.items() if key != "name"]
    noted = language.phrases["noted"].format(facts=language.phrases["and"].join(others))
    if "name" not in told:
        return noted
    met = language.phrases["met"].format(name=told["name"].value)
    space = "" if language.code == "zh" else " "
    return f"{met}{space}{noted}" if others else met


def _calculate(text: str, language: Language) -> str | None:
    try:
        comma = language.has_decimal_comma
        calculated = arithmetic.calculate(text, has_decimal_comma=comma)
        return calculated or arithmetic.calculate(text, has_decimal_comma=not comma)
    except ZeroDivisionError:
        return language.phrases["zero"]


def _know(plain: str, earlier: Sequence[str], language: Language) -> str | None:
    """Answer from the tables: capitals, words in other languages, and code."""
    before = _plain(earlier[-1]) if earlier else ""
    return (
        demo_capitals.answer(plain, before, language)
        or demo_translations.answer(plain, language)
        or demo_code.answer(plain, language)
    )


def _greet(plain: str, earlier: Sequence[str], language: Language) -> str | None:
    if not language.greeting.search(plain) or _by_rule(plain, language):
        return None
    return language.phrases["hello_again" if earlier else "hello"]


def _by_rule(plain: str, language: Language) -> str | None:
    return next((rule.text for rule in language.rules if rule.pattern.search(plain)), None)


def _reflect(text: str, plain: str, earlier: Sequence[str], language: Language) -> str:
    """Answer if nothing else does: quote the message, and refer to an earlier one."""
    is_question = language.question.search(plain) is not None
    phrases = language.phrases
    said = phrases["asked" if is_question else "said"].format(quote=_quote(text))
    topics = _topics(text, language)
    for before in reversed(earlier[-_COMPARED_MESSAGES:]):
        known = {topic.casefold() for topic in _topics(before, language)}
        shared = next((topic for topic in topics if topic.casefold() in known), None)
        if shared:
            said += "\n\n" + phrases["shared"].format(topic=shared, quote=_quote(before))
            break
    if is_question:
        return f"{said}\n\n{phrases['modest']}"
    more = phrases["more_about"].format(topic=topics[0]) if topics else phrases["more"]
    return f"{said}\n\n{more}"


def _topics(text: str, language: Language) -> list[str]:
    """Return the content words of a text as they are written, the longest first."""
    if language.code == "zh":
        return []  # it has no spaces between words
    found = dict.fromkeys(graphemes.words(graphemes.cut(text, _COMPARED_CHARACTERS)))
    topics = (
        word
        for word in found
        if len(word) in _TOPIC_LENGTHS and word.lower() not in language.usual_words
    )
    return sorted(topics, key=len, reverse=True)


def _quote(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _QUOTED_CHARACTERS:
        return line
    return graphemes.cut(line, _QUOTED_CHARACTERS - 1).rstrip() + "…"
