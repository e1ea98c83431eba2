"""JSON (RFC 8259): a compact encoder, and a strict parser for untrusted input.

The parser rejects everything that other parsers treat differently: duplicate keys, NaN and
infinities, a byte order mark, lone surrogates, U+0000, nesting over 64 (contract, sections 1, 2).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from core.errors import InvalidRequest

MAX_DEPTH = 64
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encoded(value: Any) -> bytes:
    """Encode a value for a client: UTF-8, without spaces."""
    return _ENCODER.encode(value).encode()


def parse(text: str | bytes, passwords: Sequence[str] = (), what: str = "body") -> dict[str, Any]:
    """Parse the JSON object in `text`. Raises `InvalidRequest`, whose details name it `what`.

    The fields named in `passwords` may contain U+0000, because they are not stored.
    """
    try:
        return _parse(text, passwords)
    except Unreadable as error:
        raise InvalidRequest(f"The {what} {error}") from None


class Unreadable(Exception):
    """Invalid JSON. The message is a sentence without its subject, which the caller adds."""


def _parse(text: str | bytes, passwords: Sequence[str]) -> dict[str, Any]:
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(f"is not UTF-8: see byte {error.start}.") from None
    if not text:
        raise Unreadable("is empty; a JSON object was expected.")
    if text.startswith("\ufeff"):  # `json.loads` checks for it, the decoder does not
        raise Unreadable("is not valid JSON: it begins with a byte order mark.")
    try:
        document = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(error) from None
    if not isinstance(document, dict):
        raise Unreadable("must be a JSON object.")
    # Both traversals cost more than parsing, so they run only where they can find something.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        check_depth(document)
    if "\\u" in text:
        check_strings(
            {
                name: value.replace("\0", "")
                if name in passwords and isinstance(value, str)
                else value
                for name, value in document.items()
            }
        )
    return document


def is_storable(text: str) -> bool:
    """Return whether a string has no lone surrogate and no U+0000 (contract, section 1)."""
    return _UNSTORABLE.search(text) is None


def unreadable(error: Exception, line: int = 1, column: int = 1) -> Unreadable:
    """Return the error for what `DECODER` raised; its text began at this line and column."""
    if isinstance(error, json.JSONDecodeError):
        column = error.colno + (column - 1 if error.lineno == 1 else 0)
        position = f"line {line + error.lineno - 1}, column {column}"
        return Unreadable(f"is not valid JSON: {error.msg} ({position}).")
    if isinstance(error, RecursionError):
        return too_deep()
    # More digits than Python converts (sys.set_int_max_str_digits).
    return Unreadable("contains a number that is too long.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise Unreadable("contains the same key twice in one object.")
    return document


def _no_constant(name: str) -> float:
    raise Unreadable(f"contains {name}, which is not valid JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Unreadable("contains a number that is too large.")
    return number


DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite
)


def check_depth(value: Any, depth: int = MAX_DEPTH) -> None:
    """Raise `Unreadable` if a value is nested more than `depth` levels deep."""
    level: list[Any] = [value]
    for _ in range(depth):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    if any(isinstance(value, (dict, list)) for value in level):
        raise too_deep()


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def check_strings(value: Any) -> None:
    """Raise `Unreadable` if a string in a value can't be stored."""
    waiting: list[Any] = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and not is_storable(value):
            raise Unreadable("contains U+0000 or an unpaired surrogate in a string.")
        if isinstance(value, dict):
            waiting.extend(value)
        waiting.extend(_children(value))


def too_deep() -> Unreadable:
    """Return the error for a value with too many levels."""
    return Unreadable(f"is nested more than {MAX_DEPTH} levels deep.")
