"""Words and cuts that keep characters whole as a reader sees them (simplified from UAX #29)."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"


def words(text: str) -> list[str]:
    """Split a text into words: letters and digits with their marks, joiners and underscores."""
    spaced = "".join(c if _is_of_word(c) else " " for c in unicodedata.normalize("NFC", text))
    return spaced.split()


def cut(text: str, most: int) -> str:
    """Return at most `most` characters of a text, never a part of a visible character."""
    if len(text) <= most:
        return text
    end = most
    while end > 0 and not _is_boundary(text, end):
        end -= 1
    return text[:end]


def cut_start(text: str, most: int) -> str:
    """Like `cut`, but return the end of the text."""
    start = max(0, len(text) - most)
    while start < len(text) and not _is_boundary(text, start):
        start += 1
    return text[start:]


def _is_of_word(character: str) -> bool:
    return (
        character.isalnum()
        or character in _JOINERS
        or character == "_"
        or unicodedata.category(character).startswith("M")
    )


def _is_boundary(text: str, index: int) -> bool:
    """Return whether a text may be cut before its character at `index`."""
    if index <= 0 or index >= len(text):
        return True
    before, after = text[index - 1], text[index]
    if before in _JOINERS or after in _JOINERS or _extends(after):
        return False
    if _is_flag(before) and _is_flag(after):  # two letters of the alphabet of flags make one flag
        first = index
        while first > 0 and _is_flag(text[first - 1]):
            first -= 1
        return (index - first) % 2 == 0
    is_jamo = "\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"
    return not (is_jamo and "\u1160" <= after <= "\u11ff")  # a vowel or a final of Hangul


def _extends(character: str) -> bool:
    is_skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    is_sara_am = character in "\u0e33\u0eb3"  # a vowel of Thai and Lao that looks like a mark
    is_tag = "\U000e0020" <= character <= "\U000e007f"  # such as in the flag of Scotland
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark or is_skin_tone or is_sara_am or is_tag


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
