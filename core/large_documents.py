"""Parse a large JSON object part by part, so that memory and time of each step are bounded.

A parsed document takes up to thirty times the memory of its text (`[[],[],…]`), and parsing 16 MiB
at once would stop the event loop for a second. Here the text is decoded in windows, and the items
of one array are parsed one by one. The rules are those of `core.documents`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from core.documents import (
    DECODER,
    MAX_DEPTH,
    Unreadable,
    check_depth,
    check_strings,
    too_deep,
    unreadable,
)
from core.errors import InvalidRequest

WINDOW = 1 << 18  # bytes that are decoded at once, unless one value is longer
# Of a value that is longer than a window: values, keys and brackets. Long values are long strings.
MAX_PARTS = 10_000
_NEAR_THE_END = 32  # characters; an error there may come from the end of the window
_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKET = re.compile(r"[{}\[\]]")


@dataclass(frozen=True, slots=True)
class Part:
    """The value of a field, or an item of the array, whose own value is an empty list.

    `share` is the part of the document that has been read.
    """

    name: str
    index: int | None
    value: Any
    share: float


def parts(data: bytes, array: str) -> Iterator[Part]:
    """Yield the fields of the object in `data`, and the items of its field `array`, in order.

    Raises `InvalidRequest`, possibly after some parts.
    """
    try:
        yield from _Reader(data).fields(array)
    except Unreadable as error:
        raise InvalidRequest(f"The body {error}") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._read = 0  # bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""  # the window
        self._at = 0  # in the window
        self._line = self._column = 1  # of the window's beginning

    def fields(self, array: str) -> Iterator[Part]:
        if not self._data:
            raise Unreadable("is empty; a JSON object was expected.")
        first = self._next()
        if first == "\ufeff":
            raise Unreadable("is not valid JSON: it begins with a byte order mark.")
        if first != "{":
            self._value(MAX_DEPTH)
            self._end()
            raise Unreadable("must be a JSON object.")
        seen: set[str] = set()
        self._at += 1
        if self._next() == "}":
            self._at += 1
            self._end()
            return
        while True:
            if self._next() != '"':
                raise self._wrong("Expecting property name enclosed in double quotes")
            name = self._value(1)
            if name in seen:
                raise Unreadable("contains the same key twice in one object.")
            seen.add(name)
            if self._next() != ":":
                raise self._wrong("Expecting ':' delimiter")
            self._at += 1
            if name == array and self._next() == "[":
                yield Part(name, None, [], self._share)
                for index, item in enumerate(self._items()):
                    yield Part(name, index, item, self._share)
            else:
                yield Part(name, None, self._value(MAX_DEPTH - 1), self._share)
            if self._closes("}"):
                self._end()
                return

    def _items(self) -> Iterator[Any]:
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        while True:
            yield self._value(MAX_DEPTH - 2)
            if self._closes("]"):
                return

    def _closes(self, bracket: str) -> bool:
        """Read past a comma, or past the closing bracket; return which it was."""
        found = self._next()
        if found not in {",", bracket} or not found:
            raise self._wrong("Expecting ',' delimiter")
        self._at += 1
        return found == bracket

    def _end(self) -> None:
        if self._next():
            raise self._wrong("Extra data")

    def _next(self) -> str:
        """Skip spaces; return the next character, empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def _value(self, depth: int) -> Any:
        """Parse the next value, which may have `depth` levels."""
        self._next()
        while True:
            if len(self._text) - self._at > WINDOW:
                self._check_parts()
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = (
                    error.msg.startswith("Unterminated string")
                    or error.pos > len(self._text) - _NEAR_THE_END
                )
                if not is_cut or not self._read_on():
                    raise unreadable(error, self._line, self._column) from None
            except (ValueError, RecursionError) as error:
                raise unreadable(error) from None
            else:
                is_cut = isinstance(value, (int, float)) and end > len(self._text) - _NEAR_THE_END
                if not is_cut or not self._read_on():  # such as `1` of `1.5`
                    break
        source = slice(self._at, end)
        self._at = end
        if isinstance(value, (dict, list)):
            check_depth(value, depth)
        if self._text.find("\\u", source.start, source.stop) >= 0:
            check_strings(value)
        return value

    def _read_on(self) -> bool:
        """Add text to the window, as much as it still has; return whether there was any."""
        if self._read >= len(self._data):
            return False
        passed = self._text[: self._at]
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") + (0 if lines else self._column - 1)
        rest = self._text[self._at :]
        end = self._read + max(WINDOW, len(rest))
        try:
            more = self._decoder.decode(self._data[self._read : end], end >= len(self._data))
        except UnicodeDecodeError as error:
            # What the decoder kept of the window before counts as well.
            kept = len(error.object) - len(self._data[self._read : end])
            raise Unreadable(f"is not UTF-8: see byte {self._read + error.start - kept}.") from None
        self._read = min(end, len(self._data))
        self._text, self._at = rest + more, 0
        return True

    def _check_parts(self) -> None:
        """Raise `Unreadable` for a value with very many parts, whose objects take much memory.

        Also for too many levels: Pythons differ in how many the decoder can read.
        """
        text, at, count, depth = self._text, self._at, 0, 0
        while True:
            quote = text.find('"', at)
            until = len(text) if quote < 0 else quote
            count += 1 + text.count(",", at, until)
            for bracket in _BRACKET.finditer(text, at, until):
                count += 1
                depth += 1 if bracket[0] in "{[" else -1
                if depth > MAX_DEPTH:
                    raise too_deep()
                if depth <= 0 or count > MAX_PARTS:
                    break
            if count > MAX_PARTS:
                raise Unreadable(
                    f"contains a value of over {WINDOW:,} characters with more than"
                    f" {MAX_PARTS:,} parts."
                )
            if depth <= 0 or quote < 0:
                return
            try:
                _, at = scanstring(text, quote + 1)
            except ValueError:
                return  # cut off, or an error that the decoder explains

    @property
    def _share(self) -> float:
        waiting = len(self._text) - self._at
        return max(0, self._read - waiting) / len(self._data)

    def _wrong(self, message: str) -> Unreadable:
        error = json.JSONDecodeError(message, self._text, min(self._at, len(self._text)))
        return unreadable(error, self._line, self._column)
