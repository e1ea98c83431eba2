"""What `quillium-demo` needs to know to converse in a language, and which language a text is in."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# Each reply reads the messages of its conversation again.
CACHED_TEXTS = 512

_LATIN_WORD = re.compile(r"[^\W\d_]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")


class Fact(NamedTuple):
    """A way to tell a fact about oneself.

    `pattern` finds it, with the group `value` and, unless `key` is given, the group `topic`.
    `mirrored` is the sentence in which it is said back, with the pattern's groups.
    """

    pattern: re.Pattern[str]
    mirrored: str
    key: str | None = None


class Rule(NamedTuple):
    """Texts that match `pattern` are answered with `text`."""

    pattern: re.Pattern[str]
    text: str


@dataclass(frozen=True, eq=False)  # compared by identity, as a key of caches
class Language:
    """A language of `quillium-demo`. The patterns see texts in lower case, but for `facts`."""

    code: str
    usual_words: frozenset[str]  # by which it is recognised; never the topic of a text
    phrases: Mapping[str, str]  # what is said, with placeholders
    greeting: re.Pattern[str]
    first_message: re.Pattern[str]  # asks for the first message of the conversation
    last_message: re.Pattern[str]
    recap: re.Pattern[str]  # asks for all messages
    known: re.Pattern[str]  # asks for all facts
    capital: re.Pattern[str]
    question: re.Pattern[str]  # a text that asks, with or without a question mark
    mine: str  # a pattern of possessives, such as `my`
    unknown_fact: re.Pattern[str]  # asks for a fact, whether or not it was told
    asked: Sequence[tuple[re.Pattern[str], str]]  # patterns that ask for a fact, with its key
    facts: Sequence[Fact]
    rules: Sequence[Rule]
    has_decimal_comma: bool = False
    likely: frozenset[str] = frozenset()  # characters that hint at the language
    code_words: re.Pattern[str] = field(default_factory=lambda: re.compile(r"\bcode\b"))


def words(text: str) -> frozenset[str]:
    """Return the words of a constant."""
    return frozenset(text.split())


def rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    """Compile rules from patterns and texts."""
    return tuple(Rule(re.compile(pattern), text) for pattern, text in pairs)


def recognise(texts: Sequence[str], languages: tuple[Language, ...], default: Language) -> Language:
    """Return the language of the last text; if it has no clear one, of those before it."""
    for text in reversed(texts):
        found = _recognised(text, languages)
        if found is not None:
            return found
    return default


@functools.lru_cache(maxsize=CACHED_TEXTS)
def _recognised(text: str, languages: tuple[Language, ...]) -> Language | None:
    plain = unicodedata.normalize("NFC", text).lower()
    if _CHINESE.search(plain) and not _KANA.search(plain):
        return next((language for language in languages if language.code == "zh"), None)
    found = _LATIN_WORD.findall(plain)
    scores = [
        (
            sum(word in language.usual_words for word in found)
            + (not language.likely.isdisjoint(plain)),
            language,
        )
        for language in languages
    ]
    most = max(score for score, _ in scores)
    best = [language for score, language in scores if score == most]
    return best[0] if most and len(best) == 1 else None
