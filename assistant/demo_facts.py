"""What a user tells `quillium-demo` about themselves, and the questions about it."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from assistant.demo_language import CACHED_TEXTS, Language

_SENTENCE = re.compile(r"[^.!?\n。！？]+[.!?\n。！？]?")
_ENDINGS = re.compile(r"(?:'s)? name\Z|'s\Z| (?:called|named)\Z")


class Told(NamedTuple):
    """A fact: its value, and the sentence in which it is said back, such as `your dog is Rex`."""

    value: str
    mirrored: str


Facts = dict[str, Told]  # by key: a topic in lower case, or `name`, `home`, `age`, `job`, `liking`


@functools.lru_cache(maxsize=CACHED_TEXTS)
def stated_in(text: str, language: Language) -> Facts:
    """Return the facts in a text, which must not be changed. What is asked is not told."""
    told: Facts = {}
    for sentence in _SENTENCE.findall(text):
        if not language.question.search(sentence.strip().lower()):
            told |= _facts_in_sentence(sentence, language)
    return told


def _facts_in_sentence(sentence: str, language: Language) -> Facts:
    told: Facts = {}
    taken: list[tuple[int, int]] = []
    for fact in language.facts:
        for match in fact.pattern.finditer(sentence):
            start, end = match.span("value")
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue  # a more specific pattern has it
            groups = {name: (text or "").strip() for name, text in match.groupdict().items()}
            key = fact.key or groups["topic"].lower()
            if groups["value"] and key not in told:
                taken.append((start, end))
                told[key] = Told(groups["value"], fact.mirrored.format(**groups))
    return told


def recall(plain: str, facts: Facts, language: Language) -> str | None:
    """Answer a question about a fact; `plain` is in lower case. None for other texts."""
    if not language.question.search(plain):
        return None
    if language.known.search(plain):
        if not facts:
            return language.phrases["no_facts"]
        listed = "\n".join(f"- {told.mirrored}" for told in facts.values())
        return language.phrases["all_facts"].format(facts=listed)
    end = "" if language.code == "zh" else r"(?!\w)"  # Chinese has no spaces between words
    for key in sorted(facts, key=len, reverse=True):  # `dog's name` before `dog`
        if re.search(rf"{language.mine}\s?{re.escape(key)}{end}", plain):
            return language.phrases["recalled"].format(fact=facts[key].mirrored)
    for pattern, key in language.asked:
        if pattern.search(plain):
            if key in facts:
                return language.phrases["recalled"].format(fact=facts[key].mirrored)
            return language.phrases["not_told_this"]
    unknown = language.unknown_fact.search(plain)
    if unknown is None:
        return None
    topic = _ENDINGS.sub("", unknown["topic"].strip())
    return language.phrases["not_told"].format(topic=topic)
