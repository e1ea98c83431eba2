"""Recordings of what model servers responded (contract, section 11).

A recording is a file of JSON lines: a header, then one line for each request with its response. It
has no headers of requests, and therefore no keys.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from assistant.scripted import FAILURES

MAX_BYTES = 16 << 20  # of a response; a larger one is not recorded
_HEADER = {"format": "quillium-recording", "version": 1}
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,.{200,}", re.DOTALL)


class UnusableRecording(Exception):
    """A file is no recording. The message is a sentence without its subject, the file."""


@dataclass(slots=True)
class Exchange:
    """A request and its response, with times in milliseconds since the request.

    `events` are the chunks of the response's body with their times. `error` is a failure after
    them, a code and its details; an exchange without a `status` is nothing but a failure.
    """

    provider: str
    path: str
    request: dict[str, Any]  # normalized; empty for a list of models
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    error: tuple[str, str] | None = None
    is_complete: bool = False  # False if the client stopped the response
    line: int = 0  # in the file

    @property
    def text(self) -> str:
        """The body of the response."""
        return "".join(text for _, text in self.events)


class Recording(NamedTuple):
    """A recording that was read from a file with this name."""

    name: str
    exchanges: tuple[Exchange, ...]


def normalized(body: bytes) -> dict[str, Any]:
    """Return the part of a request that decides about its response: model, messages, parameters.

    Files in it are replaced by their hashes.
    """
    sent: dict[str, Any] = json.loads(body) if body else {}
    kept = {k: value for k, value in sent.items() if value is not None and k != "stream_options"}
    if kept:
        kept["stream"] = bool(kept.get("stream"))
    hashed: dict[str, Any] = _with_hashes(kept)
    return hashed


def _with_hashes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_hashes(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_hashes(item) for item in value]
    if isinstance(value, str) and _DATA_URL.fullmatch(value):
        return f"{value.partition(',')[0]},sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def read(path: Path) -> Recording:
    """Read a recording. Raises `UnusableRecording`, and `OSError`."""
    first, *lines = path.read_bytes().split(b"\n")
    try:
        header = json.loads(first)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != _HEADER["format"]:
        raise UnusableRecording("is not a recording.")
    if header != _HEADER:
        raise UnusableRecording("was recorded by a newer version of Quillium.")
    if not lines or lines.pop():
        raise UnusableRecording("is cut off: its last line has no end. Delete that line.")
    return Recording(path.name, tuple(_exchange(n, line) for n, line in enumerate(lines, 2)))


def _exchange(number: int, line: bytes) -> Exchange:
    try:
        exchange = replace(Exchange(**json.loads(line)), line=number)
        exchange.headers = [(str(name), str(value)) for name, value in exchange.headers]
        exchange.events = [(float(at), str(text)) for at, text in exchange.events]
        if exchange.error is not None:
            code, details = exchange.error
            exchange.error = (FAILURES[code].code, str(details))
        is_sound = exchange.status is not None or exchange.error is not None
        if not (is_sound and isinstance(exchange.request, Mapping)):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise UnusableRecording(f"is damaged: line {number} is not a recorded request.") from None
    return exchange


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open a file to record to, and continue what it has. Raises `UnusableRecording`, `OSError`."""
    with open(path, "a", encoding="utf-8", newline="\n", opener=_private) as file:
        if os.fstat(file.fileno()).st_size:
            read(path)
        else:
            file.write(f"{json.dumps(_HEADER)}\n")
            file.flush()
        yield file


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def line_of(exchange: Exchange) -> str:
    """Return the line of an exchange in a file."""
    document = asdict(exchange)
    del document["line"]
    return json.dumps(document) + "\n"
