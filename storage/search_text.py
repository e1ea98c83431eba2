"""How text becomes words, for the index and for a query alike (contract, section 6).

Text is first folded: compatibility forms, capitals, accents and vowel marks make no difference.
Then it becomes tokens that SQLite's tokenizer only has to split at spaces.

- A word such as `readTimeoutMillis` or `1.25.3` is a sequence of tokens, so that its parts are
  found. Where no punctuation separates the parts, the whole word is a token as well.
- Scripts that are written without spaces have one token per character and are searched for as
  phrases.
- Signs that make a word another one (`C++`, `C#`, `.NET`) and symbols such as emoji are encoded as
  characters of a private-use plane, which the tokenizer takes for letters.
- An Arabic word with the article is also a token without it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from typing import NamedTuple

# Written without spaces: Thai, Lao, Burmese, Khmer, then Chinese, Japanese and Korean. Korean does
# have spaces, but its particles follow a word without one.
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
    "\U000f0e00-\U000f0eff\U000f1000-\U000f109f\U000f1780-\U000f17ff\U000fa9e0-\U000fa9ff"
    "\U000faa60-\U000faa7f"  # their marks, as `_Letters` encodes them
)
# Marks that are left out when people write: accents, Arabic and Hebrew vowels, the tatweel, and
# what is invisible. Other marks, such as the vowels of Thai and Hindi, are letters.
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
_MAX_IDENTIFIER = 128  # characters; longer runs are data, such as base64, and no identifiers

_PLANE = 0xF0000  # of private use; SQLite's tokenizer takes its characters for letters
_EMOJI = range(0x1F000, 0x20000)  # they move into the plane's own private-use block
_DOT, _PLUS, _HASH = (chr(_PLANE + ord(sign)) for sign in ".+#")
_SIGNS = str.maketrans({"+": _PLUS, "#": _HASH})
_END = chr(_PLANE)  # between a text and what is appended to it: no phrase reaches across

_LETTER = "(?:[^\\W\\d_]|[\U000f0000-\U000ffffd])"
_ALNUM = f"(?:{_LETTER}|\\d)"
# A run of letters and digits, with the signs that belong to it: `.NET`, `C++`, `C#`; not `1+1`.
_RUN = re.compile(rf"(\.(?={_LETTER}))?({_ALNUM}+)((?<=[^\W\d_])(?:\+\+|#|\+(?!{_ALNUM})))?")
_SPACELESS_CHARACTER = re.compile(f"[{_SPACELESS}]")
_PIECE = re.compile(rf"[{_SPACELESS}]|\d+|(?:(?![{_SPACELESS}]){_LETTER})+")
_CAMEL = re.compile("(?<=[a-z\u00df-\u00ff])(?=[A-Z\u00c0-\u00de])|(?<=[A-Z])(?=[A-Z][a-z])")
# Alone or after a one-letter particle, before at least two letters.
_ARABIC_ARTICLE = re.compile("[\u0648\u0641\u0628\u0643]?\u0627\u0644(?=\\w\\w)")
# ASCII text without any of these is split by SQLite's tokenizer exactly as here, only faster.
_SPECIAL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]|[+#]|\.[A-Za-z]")


class _Letters(dict[int, str]):
    """Translates what SQLite's tokenizer would drop: marks become letters, symbols become words."""

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
    """A word of a query: token sequences, of which one has to occur."""

    sequences: tuple[tuple[str, ...], ...]

    def exact(self) -> str:
        """The word as an FTS5 expression. Tokens hold no quotes, so nothing can break it."""
        return self._expression("")

    def beginning(self) -> str:
        """The same for longer words that begin with it."""
        return self._expression(" *")

    @property
    def is_letter(self) -> bool:
        """Whether it is a single letter, which only matches whole: too many words begin with it."""
        return all(len("".join(tokens)) == 1 for tokens in self.sequences)

    def _expression(self, star: str) -> str:
        return f"({' OR '.join(_phrase(tokens, star) for tokens in self.sequences)})"


def register(connection: sqlite3.Connection) -> None:
    """Give the connection the SQL function `searchable(text)`, which the triggers call."""
    connection.create_function("searchable", 1, searchable, deterministic=True)


def searchable(text: str) -> str:
    """Return the tokens of a text, with spaces between. Cheap for plain English.

    The parts of identifiers and signs are found in the first `_SPLIT_CHARACTERS` of a text: they
    cost 5 µs each, on the thread that stores everybody's messages.
    """
    beginning, rest = text[:_SPLIT_CHARACTERS], text[_SPLIT_CHARACTERS:]
    if not rest:
        return _tokens(beginning)
    end = max(beginning.rfind(" "), beginning.rfind("\n")) + 1 or len(beginning)
    return f"{_tokens(text[:end])} {_END} {_whole_words(text[end:])}"


def _whole_words(text: str) -> str:
    """Return folded words as they are, and the characters of scripts without spaces."""
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
    """The different words of a query. What holds no letter, digit or symbol is left out."""
    return [word for text in dict.fromkeys(query.split()) if (word := _word(text))]


def folded(text: str) -> str:
    """A text as it is compared: without case, accents and compatibility forms."""
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
    """In one Unicode form, without ignored marks, with case: `readTimeout` has two parts."""
    if text.isascii():
        return text
    bare = _IGNORED.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _parts(run: re.Match[str]) -> list[str]:
    """The tokens of a run: `HTTP2Server` is `http`, `2`, `server`. Signs stay with the last."""
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
