"""Scripts and style sheets without comments and spare space.

Names stay as they are, so the result is readable in a debugger. Line breaks stay too: JavaScript
may need them where a semicolon was left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<space>\s+)
    |(?P<name>[\w$#]+)
    |(?P<template>`)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_OPERAND_END = re.compile(r"[\w$)\]}`\"']$")
_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "delete", "void", "await", "yield"}
_INDENT = re.compile(r"\s*\n\s*")
_CSS_COMMENT = re.compile(r"""("[^"]*")|/\*.*?\*/""", re.DOTALL)
_CSS_SPACE = re.compile(r"""(?P<string>"[^"]*")|(?P<around>\s*[{};,]\s*|:\s+)|\s+""")


def script(source: str) -> str:
    """Return an equivalent script.

    It has to be valid, and a regular expression may not follow `)` or `}` at once. The whitespace
    around line breaks in templates tagged `html` goes, which HTM ignores.
    """
    written: list[str] = []
    pending = ""  # whitespace that may be needed before the next token
    for kind, text in _tokens(source):
        if kind in {"comment", "space"}:
            pending = "\n" if "\n" in text + pending else " "
            continue
        before = written[-1][-1] if written else ""
        if pending and before and _is_needed(pending, before, text[0]):
            written.append(pending)
        written.append(text)
        pending = ""
    return "".join(written) + "\n"


def _is_needed(space: str, before: str, after: str) -> bool:
    if space == "\n":
        return before not in "{(,;[\n" and after not in "}),;]"
    is_word = (before.isalnum() or before in "_$") and (after.isalnum() or after in "_$#")
    return is_word or (before == after and before in "+-") or (before + after in {"</", "//"})


def _tokens(source: str, start: int = 0, *, is_nested: bool = False) -> Iterator[tuple[str, str]]:
    """Yield kinds and texts; of a part of a template, up to the brace that ends it."""
    place, depth, before = start, 0, ""
    while place < len(source):
        found = _TOKEN.match(source, place)
        assert found is not None
        kind, text = str(found.lastgroup), found.group()
        if text[0] == "/" and kind == "sign":
            is_division = _OPERAND_END.search(before) and before not in _BEFORE_REGEX
            regex = None if is_division else _REGEX.match(source, place)
            kind, text = ("regex", regex.group()) if regex else (kind, text)
        elif kind == "template":
            text = _template(source, place, before == "html")
            place = _end_of_template(source, place) - len(text)
        if is_nested and kind == "sign":
            depth += {"{": 1, "}": -1}.get(text, 0)
            if depth < 0:
                return
        place += len(text)
        if kind not in {"comment", "space"}:
            before = text
        yield kind, text


def _parts(source: str, start: int) -> Iterator[tuple[bool, int, int]]:
    """Yield the parts of the template at `start`: whether it is code, and where it lies."""
    place = begin = start + 1
    while source[place] != "`":
        if source[place] == "\\":
            place += 2
        elif source.startswith("${", place):
            yield False, begin, place
            end = place + 2 + _length(source, place + 2)
            yield True, place + 2, end
            place = begin = end + 1
        else:
            place += 1
    yield False, begin, place


def _length(source: str, start: int) -> int:
    """Return the length of the code in a template, before its closing brace."""
    place = start
    for kind, text in _tokens(source, start, is_nested=True):
        place = _end_of_template(source, place) if kind == "template" else place + len(text)
    return place - start


def _end_of_template(source: str, start: int) -> int:
    *_, (_, _, end) = _parts(source, start)
    return end + 1


def _template(source: str, start: int, is_html: bool) -> str:
    written = ["`"]
    for is_code, begin, end in _parts(source, start):
        text = source[begin:end]
        if is_code:
            written.append("${" + script(text).strip() + "}")
        else:
            written.append(_INDENT.sub("\n", text) if is_html else text)
    return "".join(written) + "`"


def styles(source: str) -> str:
    """Return an equivalent style sheet."""

    def shorter(found: re.Match[str]) -> str:
        return found["string"] or (found["around"] or "").strip() or " "

    bare = _CSS_COMMENT.sub(lambda found: found[1] or "", source)
    return _CSS_SPACE.sub(shorter, bare).strip().replace(";}", "}") + "\n"
