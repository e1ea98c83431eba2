"""An incremental Server-Sent Events parser (HTML Living Standard, section 9.2.6).

Chunks may be split anywhere: within a character, a line end or a field.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


class StreamEvent(NamedTuple):
    """One event. `name` is empty if the stream names none."""

    name: str
    data: str


class EventStream:
    """An incremental decoder: feed it bytes, and it yields each complete event."""

    def __init__(self) -> None:
        # Invalid UTF-8 becomes U+FFFD, as the standard requires.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Yield the events that a chunk completes."""
        yield from self._lines(self._rest + self._decoder.decode(chunk))

    def close(self) -> Iterator[StreamEvent]:
        """Yield a final event that lacks its terminating empty line.

        The standard discards it. But servers that omit the last empty line are more common than
        connections that break exactly between two lines, and half an event is not valid JSON.
        """
        text = self._rest + self._decoder.decode(b"", final=True)
        yield from self._lines(text + "\n\n")

    def _lines(self, text: str) -> Iterator[StreamEvent]:
        start = 0
        for end in _LINE_END.finditer(text):
            if end[0] == "\r" and end.end() == len(text):
                break  # the LF of a CRLF may follow
            event = self._line(text[start : end.start()])
            start = end.end()
            if event is not None:
                yield event
        self._rest = text[start:]

    def _line(self, line: str) -> StreamEvent | None:
        """Process a line; return the event that it ends, if any."""
        if line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
            elif field == "event":
                self._name = value
            return None
        name, data = self._name, self._data
        self._name, self._data = "", []
        return StreamEvent(name, "\n".join(data)) if data else None
