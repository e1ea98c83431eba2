"""Decode text of unknown encoding: byte order marks, UTF-8, then the likeliest other one."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KANA = "".join(map(chr, range(0x3041, 0x30FF))) + "、。「」・ー"
# Encodings, and the characters that are frequent in texts which have them.
_CANDIDATES = (
    ("shift_jis", _KANA),
    ("euc_jp", _KANA),
    ("gb18030", "，。、的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能"),
    ("big5", "，。、的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能"),
    ("euc_kr", "이다는의에가을를은고하지기도로한사인아어니리자서그대나시만있보부정수해일여스라"),
    ("cp1251", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё"),
    ("koi8_r", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё"),
    ("cp1250", "ąćęłńóśźżčďěňřšťůžáéíýúőűăâîșț„”"),
    ("cp1253", "αειουονητςσρκλπμνάέίόήύώθδγβχφωξψζ"),
    ("cp1252", "äöüßéèàçñáíóúêâîôëïåøæÄÖÜÉ–’“”„€°"),
)
_LATIN = ("cp1250", "cp1252")
_RUNS = re.compile(r"[^\x00-\x7f]{3,}")
_LIKELY_SHARE = 0.3  # of the characters beyond ASCII that are frequent ones
_EXAMINED_BYTES = 1 << 14


def decoded(content: bytes, *, is_whole: bool = True) -> str:
    """Return the text of a file. Unreadable bytes become U+FFFD, and U+0000 is left out.

    If the content is not whole, a character that is cut at its end is left out.
    """
    text = _decoded(content, is_whole)
    return text.replace("\x00", "").replace("\r\n", "\n")


def _decoded(content: bytes, is_whole: bool) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode(content, encoding, is_whole, "replace")
    try:
        return _decode(content, "utf-8", is_whole)
    except UnicodeDecodeError:
        return _decode(content, _likeliest(content[:_EXAMINED_BYTES]), is_whole, "replace")


def _decode(content: bytes, encoding: str, is_whole: bool, errors: str = "strict") -> str:
    return codecs.getincrementaldecoder(encoding)(errors).decode(content, is_whole)


def _likeliest(content: bytes) -> str:
    """Return the encoding in which most characters beyond ASCII are frequent ones.

    In Latin scripts these characters stand alone or in pairs, in others in longer runs.
    """
    best, best_share = "cp1252", _LIKELY_SHARE
    for encoding, frequent in _CANDIDATES:
        try:
            text = _decode(content, encoding, is_whole=False)
        except UnicodeDecodeError:
            continue
        beyond = [character for character in text if not character.isascii()]
        share = sum(character in frequent for character in beyond) / max(1, len(beyond))
        has_runs = 2 * sum(map(len, _RUNS.findall(text))) > len(beyond)
        if share > best_share and has_runs is not (encoding in _LATIN):
            best, best_share = encoding, share
    return best
