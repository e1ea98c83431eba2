"""Server-Sent Events as they come over the wire (HTML Living Standard, section 9.2.6).

Bytes may be cut anywhere: in a character, a line end, a field. Only the data of events counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_LINE_END = re.compile(r"\r\n|\n|\r")


class EventStream:
    """Give it bytes as they come; it gives the data of each event that has ended."""

    def __init__(self) -> None:
        # What is no UTF-8 becomes U+FFFD, as the standard has it.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of the events that this chunk ends. An event that is never ended is none."""
        text = self._rest + self._decoder.decode(chunk)
        start = 0
        for end in _LINE_END.finditer(text):
            if end[0] == "\r" and end.end() == len(text):
                break  # the other half of its line end may follow
            data = self._line(text[start : end.start()])
            start = end.end()
            if data is not None:
                yield data
        self._rest = text[start:]

    def _line(self, line: str) -> str | None:
        """Take one line; the data of an event, if it was one that ends an event."""
        if line:
            field, _, value = line.partition(":")
            if field == "data":
                self._data.append(value.removeprefix(" "))
            return None
        data, self._data = self._data, []
        return "\n".join(data) if data else None
