"""Snippets: excerpts of messages around search hits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from storage import search_text

MAX_CHARACTERS = 160
_BEFORE = 40  # characters that are shown before the first hit
_READ_CHARACTERS = 20_000  # searched for a hit
BEGIN, END = "\ue000", "\ue001"  # around each hit
_MARKERS = re.compile(f"[{BEGIN}{END}]")
_WORD = re.compile(r"\w")
# Without the last character before other text, which may be a mark that belongs to it.
_ASCII = re.compile(r"[\x00-\x7f]+(?=[\x00-\x7f]|\Z)")


def snippet(content: str, query: str) -> str:
    """Return an excerpt around the first hit, with each hit between `BEGIN` and `END`."""
    text = _MARKERS.sub("", content[:_READ_CHARACTERS])
    hits = _hits(text, query)
    start = _start(text, hits[0][0]) if hits else 0
    end = min(len(text), start + MAX_CHARACTERS)
    pieces = ["…" if start else ""]
    position = start
    for begin, stop in hits:
        if begin < position or stop > end:
            continue
        pieces += (text[position:begin], BEGIN, text[begin:stop], END)
        position = stop
    is_cut = end < len(text) or len(content) > _READ_CHARACTERS
    pieces += (text[position:end], "…" if is_cut else "")
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def _start(text: str, hit: int) -> int:
    """Return the start of the excerpt: the start of a word, a few words before the hit."""
    earliest = max(0, hit - _BEFORE)
    space = text.find(" ", earliest, hit) if earliest else -1
    return space + 1 if space >= 0 else earliest


def _hits(text: str, query: str) -> list[tuple[int, int]]:
    """Return the spans of the query's words in the text, without overlaps."""
    folded, spans = _folded(text)
    found: list[tuple[int, int]] = []
    for word in {_plain(search_text.folded(word)).strip() for word in query.split()} - {""}:
        starts = list(_occurrences(folded, word))
        for start in [s for s in starts if _begins_word(folded, s)] or starts:
            found.append((spans[start][0], spans[start + len(word) - 1][1]))
    hits: list[tuple[int, int]] = []
    for begin, end in sorted(found, key=lambda hit: (hit[0], -hit[1])):
        if not hits or begin >= hits[-1][1]:
            hits.append((begin, end))
    return hits


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the folded text, and for each of its characters its source span in `text`."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    begin = 0
    while begin < len(text):
        ascii_run = _ASCII.match(text, begin)
        if ascii_run:  # folded at once, because each of its characters is folded to one
            end = ascii_run.end()
            piece = search_text.folded(ascii_run[0])
            spans += zip(range(begin, end), range(begin + 1, end + 1), strict=True)
        else:
            end = begin + 1
            while end < len(text) and _joins(text[end]):
                end += 1
            piece = _plain(search_text.folded(text[begin:end]))
            spans += [(begin, end)] * len(piece)
        pieces.append(piece)
        begin = end
    return "".join(pieces), spans


def _joins(character: str) -> bool:
    """Whether a character belongs to the one before: a mark, or part of a Hangul syllable."""
    return bool(unicodedata.combining(character)) or "\u1160" <= character <= "\u11ff"


def _plain(text: str) -> str:
    """Typographic apostrophes are apostrophes."""
    return text.replace("\u2019", "'").replace("\u2018", "'")


def _occurrences(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + len(word))


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or not _WORD.match(text[start - 1])
