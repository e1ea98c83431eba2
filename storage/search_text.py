"""Tokenize text in the same way for the index and for queries (contract, section 6).

Text is first folded: compatibility forms, case, accents and vowel marks are ignored. Then it is
converted to tokens that SQLite's tokenizer only has to split at spaces.

- A word such as `readTimeoutMillis` or `1.25.3` is a sequence of tokens, so that its parts can
  be found. Where no punctuation separates the parts, the whole word is a token as well.
- Scripts without spaces between words have one token per character and are searched as phrases.
- Signs that change a word's meaning (`C++`, `C#`, `.NET`) and symbols such as emoji are encoded as
  characters of a private-use plane, which the tokenizer treats as letters.
- An Arabic word with an article is also indexed without it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from typing import NamedTuple

# Scripts without spaces: Thai, Lao, Burmese, Khmer, then Chinese, Japanese and Korean. Korean has
# spaces, but attaches particles to words.
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
    "\U000f0e00-\U000f0eff\U000f1000-\U000f109f\U000f1780-\U000f17ff\U000fa9e0-\U000fa9ff"
    "\U000faa60-\U000faa7f"  # their marks, as `_Letters` encodes them
)
# Marks that people often omit: accents, Arabic and Hebrew vowels, the tatweel, and invisible
# characters. Other marks, such as the vowels of Thai and Hindi, are letters.
_IGNORED = re.compile(
    "[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u20d0-\u20ff"
    "\ufe00-\ufe0f\ufe20-\ufe2f"
    "\ufeff\U000e0100-\U000e01ef]"
)
# Letters with a stroke and ligatures, which Unicode does not decompose.
_PLAIN = str.maketrans(
    dict(zip("łđðøħŧı", "lddohti", strict=True)) | {"æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng"}
)

_SPLIT_CHARACTERS = 20_000
# Of UTF-8. Indexing so much takes the thread that stores all users' messages up to 80 ms.
MAX_BYTES = 1 << 17
_MAX_IDENTIFIER = 128  # characters; longer runs are data such as base64, not identifiers

_PLANE = 0xF0000  # private use; SQLite's tokenizer treats its characters as letters
_EMOJI = range(0x1F000, 0x20000)  # mapped into the plane's own private-use block
_DOT, _PLUS, _HASH = (chr(_PLANE + ord(sign)) for sign in ".+#")
_SIGNS = str.maketrans({"+": _PLUS, "#": _HASH})
_END = chr(_PLANE)  # separates a text from appended tokens, so that no phrase spans both

_LETTER = "(?:[^\\W\\d_]|[\U000f0000-\U000ffffd])"
_ALNUM = f"(?:{_LETTER}|\\d)"
# A run of letters and digits, with its signs: `.NET`, `C++`, `C#`; not `1+1`.
_RUN = re.compile(rf"(\.(?={_LETTER}))?({_ALNUM}+)((?<=[^\W\d_])(?:\+\+|#|\+(?!{_ALNUM})))?")
_SPACELESS_CHARACTER = re.compile(f"[{_SPACELESS}]")
_PIECE = re.compile(rf"[{_SPACELESS}]|\d+|(?:(?![{_SPACELESS}]){_LETTER})+")
_CAMEL = re.compile("(?<=[a-z\u00df-\u00ff])(?=[A-Z\u00c0-\u00de])|(?<=[A-Z])(?=[A-Z][a-z])")
# The Arabic article, alone or after a one-letter particle, before at least two letters.
_ARABIC_ARTICLE = re.compile("[\u0648\u0641\u0628\u0643]?\u0627\u0644(?=\\w\\w)")
# SQLite's tokenizer splits ASCII text without any of these in the same way, but faster.
_SPECIAL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]|[+#]|\.[A-Za-z]")


class _Letters(dict[int, str]):
    """A translation table for characters that SQLite's tokenizer would drop.

    Marks become letters, and symbols become words.
    """

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        if category[0] == "M" and code < 0x10000:
            character = chr(_PLANE + code)
        elif category in {"So", "Sk"} and code in _EMOJI:
            character = f" {chr(_PLANE + 0xE000 + code - _EMOJI.start)} "
        elif category == "So" and code < 0x10000:
            character = f" {chr(_PLANE + code)} "
        else:
            character = " " if category == "Co" else chr(code)
        self[code] = character
        return character


_LETTERS = _Letters()


class Word(NamedTuple):
    """A word of a query: alternative token sequences, one of which must occur."""

    sequences: tuple[tuple[str, ...], ...]

    def exact(self) -> str:
        """Return the word as an FTS5 expression. Tokens contain no quotes to escape."""
        return self._expression("")

    def beginning(self) -> str:
        """Return an FTS5 expression that also matches longer words with this prefix."""
        return self._expression(" *")

    @property
    def is_letter(self) -> bool:
        """Return whether this is a single letter, which matches only whole words."""
        return all(len("".join(tokens)) == 1 for tokens in self.sequences)

    def _expression(self, star: str) -> str:
        return f"({' OR '.join(_phrase(tokens, star) for tokens in self.sequences)})"


def register(connection: sqlite3.Connection) -> None:
    """Register the SQL function `searchable(text)`, which the triggers call."""
    connection.create_function("searchable", 1, searchable, deterministic=True)


def searchable(text: str) -> str:
    """Return the tokens of a text, separated by spaces. Fast for plain English.

    Only the first `MAX_BYTES` of a text are indexed. Identifiers and signs are split only in the
    first `_SPLIT_CHARACTERS`, because each costs 5 µs on the thread that stores all messages.
    """
    if len(text) > MAX_BYTES // 4:  # bytes of the longest character
        text = text[:MAX_BYTES].encode()[:MAX_BYTES].decode(errors="ignore")
    beginning, rest = text[:_SPLIT_CHARACTERS], text[_SPLIT_CHARACTERS:]
    if not rest:
        return _tokens(beginning)
    end = max(beginning.rfind(" "), beginning.rfind("\n")) + 1 or len(beginning)
    return f"{_tokens(text[:end])} {_END} {_whole_words(text[end:])}"


def _whole_words(text: str) -> str:
    """Return folded words whole, and scripts without spaces as single characters."""
    if text.isascii():
        return text
    return _SPACELESS_CHARACTER.sub(r" \g<0> ", folded(text))


def _tokens(text: str) -> str:
    if text.isascii() and not _SPECIAL.search(text):
        return text
    tokens: list[str] = []
    appended: list[str] = []
    for run in _RUN.finditer(_normalized(text)):
        parts = _parts(run)
        tokens += parts
        if len(parts) > 1 and not any(map(_is_spaceless, parts)):
            appended.append("".join(parts))
        if run[1]:
            appended.append(_DOT + "".join(parts))
        if article := _ARABIC_ARTICLE.match(parts[0]):
            appended.append(parts[0][article.end() :])
    return " ".join([*tokens, _END, *appended] if appended else tokens)


def words(query: str) -> list[Word]:
    """Return the distinct words of a query. Skip those without a letter, digit or symbol."""
    return [word for text in dict.fromkeys(query.split()) if (word := _word(text))]


def folded(text: str) -> str:
    """Return a text folded for comparison: without case, accents and compatibility forms."""
    return _normalized(text).casefold().translate(_PLAIN)


def _word(text: str) -> Word | None:
    runs = list(_RUN.finditer(_normalized(text)))
    if not runs:
        return None
    if len(runs) == 1 and runs[0][1]:
        return Word(((_DOT + "".join(_parts(runs[0])),),))
    parts = tuple(part for run in runs for part in _parts(run))
    whole = tuple("".join(_parts(run)) for run in runs)
    is_split = len(whole) == 1 < len(parts) and not any(map(_is_spaceless, parts))
    return Word((parts, whole) if is_split else (parts,))


def _normalized(text: str) -> str:
    """Normalize Unicode and drop ignored marks. Keep case, which splits `readTimeout` in two."""
    if text.isascii():
        return text
    bare = _IGNORED.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _parts(run: re.Match[str]) -> list[str]:
    """Return a run's tokens: `HTTP2Server` is `http`, `2`, `server`. Signs join the last one."""
    if len(run[2]) > _MAX_IDENTIFIER and run[2].isascii():
        return [run[2].lower()]
    parts = [
        part.casefold().translate(_PLAIN)
        for piece in _PIECE.findall(run[2])
        for part in _CAMEL.split(piece)
    ]
    if run[3]:
        parts[-1] += run[3].translate(_SIGNS)
    return parts


def _phrase(tokens: tuple[str, ...], star: str) -> str:
    return f'"{" ".join(tokens)}"' + ("" if _is_spaceless(tokens[-1]) else star)


def _is_spaceless(token: str) -> bool:
    return len(token) == 1 and _SPACELESS_CHARACTER.match(token) is not None
