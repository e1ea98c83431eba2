"""Server-Sent Events as they come over the wire (HTML Living Standard, section 9.2.6).

The bytes may be split anywhere: in a character, a line end, a field.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


class StreamEvent(NamedTuple):
    """One event. `name` is empty where the stream gives none."""

    name: str
    data: str


class EventStream:
    """An incremental decoder: feed it bytes, and it yields each event that is complete."""

    def __init__(self) -> None:
        # What is no UTF-8 becomes U+FFFD, as the standard has it.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Yield the events that this chunk completes."""
        yield from self._lines(self._rest + self._decoder.decode(chunk))

    def close(self) -> Iterator[StreamEvent]:
        """Yield the event that the end of the stream cut short, if its data is there.

        The standard discards it. Servers that forget the last empty line are more common than
        connections that break exactly between two lines, and half an event is no valid JSON.
        """
        text = self._rest + self._decoder.decode(b"", final=True)
        yield from self._lines(text + "\n\n")

    def _lines(self, text: str) -> Iterator[StreamEvent]:
        start = 0
        for end in _LINE_END.finditer(text):
            if end[0] == "\r" and end.end() == len(text):
                break  # the other half of its line end may follow
            event = self._line(text[start : end.start()])
            start = end.end()
            if event is not None:
                yield event
        self._rest = text[start:]

    def _line(self, line: str) -> StreamEvent | None:
        """Take one line; return the event that it ends, if any."""
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
