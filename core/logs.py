"""Logging to stderr or a file: text for terminals, one JSON object per line for machines.

A separate thread writes the lines, many at once: waking it for each line would cost a request more
than its answer. A slow or stuck reader of stderr, such as a desktop application that never reads
its sidecar's pipe, can't block the server: when too many lines wait, new ones are dropped. Without
a stderr, as in a windowed program, all lines are dropped.
"""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import sys
import threading
from collections import deque
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from core.escaping import escape_unprintable
from core.options import ConfigError
from core.times import CalendarTime, rfc3339

MAX_QUEUED = 10_000  # lines
MAX_FILE_SIZE = 10 << 20  # bytes
MAX_WRITE = 64 << 10  # characters written at once, unless a single line is longer
OLD_FILES = 5
_GATHER_SECONDS = 0.01  # for which lines are collected after all were written
_CLOSE_SECONDS = 1.0  # to write queued lines when the process exits
_FIELDS = "fields"  # the record attribute for structured fields


class Log:
    """Log to `file`, or to stderr without one. A context manager that flushes on exit.

    What is logged later goes to stderr, such as Tornado's report of code that does not load.
    `format` is text, json, or auto: text on a terminal, otherwise JSON. Raises `ConfigError` if the
    file can't be written.
    """

    def __init__(self, level: str, format: str, file: Path | None = None) -> None:
        self._level = level
        is_terminal = file is None and sys.stderr is not None and sys.stderr.isatty()
        is_text = format == "text" or (format == "auto" and is_terminal)
        self._formatter = TextFormatter() if is_text else JsonFormatter()
        self._file = file
        self._lines = _Lines()

    def __enter__(self) -> Log:
        sink = _Stderr() if self._file is None else _File(self._file)
        self._thread = threading.Thread(
            target=_write_all, args=(self._lines, sink), name="quillium-log", daemon=True
        )
        self._thread.start()
        handler = _QueueingHandler(self._lines)
        handler.setFormatter(self._formatter)
        logging.basicConfig(level=self._level, handlers=[handler], force=True)
        logging.getLogger("tornado.access").setLevel(logging.ERROR)  # duplicates `quillium.access`
        logging.getLogger("asyncio").setLevel(logging.WARNING)
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._thread.join(_CLOSE_SECONDS)
        logging.basicConfig(force=True)


class _Lines:
    """The lines that wait to be written, shared by the threads that log and the one that writes."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._changed = threading.Condition()
        self._is_written = True
        self._is_closed = False

    def add(self, line: str) -> None:
        """Add a line, or drop it if too many wait."""
        with self._changed:
            if len(self._waiting) >= MAX_QUEUED:
                return
            self._waiting.append(line)
            if self._is_written:  # otherwise the writer is awake
                self._is_written = False
                self._changed.notify_all()

    def take(self) -> str | None:
        """Wait for lines, and take as many as are written at once. Return None at the end."""
        with self._changed:
            if not self._waiting:
                self._is_written = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_closed, _GATHER_SECONDS)
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                return None
            lines = [self._waiting.popleft()]
            length = len(lines[0])
            while self._waiting and (length := length + 1 + len(self._waiting[0])) <= MAX_WRITE:
                lines.append(self._waiting.popleft())
            return "\n".join(lines)

    def flush(self) -> None:
        """Wait until all lines so far are written, for a limited time."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_written, _CLOSE_SECONDS)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def _write_all(lines: _Lines, sink: _Stderr | _File) -> None:
    while (taken := lines.take()) is not None:
        sink.write(taken)
    sink.close()


class _Stderr:
    def __init__(self) -> None:
        # Not `sys.stderr.write`: a blocked write would hold its lock and delay the exit.
        self._descriptor = None if sys.stderr is None else sys.stderr.fileno()

    def write(self, lines: str) -> None:
        if self._descriptor is None:
            return
        left = f"{lines}\n".encode(errors="backslashreplace")
        with contextlib.suppress(OSError):  # the reader is gone
            while left:
                left = left[os.write(self._descriptor, left) :]

    def close(self) -> None:
        pass


class _File:
    def __init__(self, path: Path) -> None:
        """Raises `ConfigError`."""
        try:
            self._handler = _RotatingFile(
                path, maxBytes=MAX_FILE_SIZE, backupCount=OLD_FILES, errors="backslashreplace"
            )
        except OSError as error:
            raise ConfigError(f"the log file {path} can't be written: {error.strerror}") from None

    def write(self, lines: str) -> None:
        self._handler.handle(logging.makeLogRecord({"msg": lines}))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._handler.close()


class _RotatingFile(logging.handlers.RotatingFileHandler):
    """A log file that only its owner can read. A full disk loses log lines but raises nothing."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return TextIOWrapper(open(descriptor, "ab"), encoding="utf-8", errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _QueueingHandler(logging.Handler):
    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def flush(self) -> None:
        """Wait until the lines so far are written, so that other output comes after them."""
        self._lines.flush()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.add(self.format(record))
        except Exception:
            self.handleError(record)


def fields(**values: Any) -> dict[str, Any]:
    """Return the `extra=` of a logging call; the JSON format includes these fields."""
    return {_FIELDS: values}


class TextFormatter(logging.Formatter):
    """Escapes line breaks and control characters to prevent log injection.

    Times are local, for people at a terminal, with the offset from UTC (RFC 3339).
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        local = datetime.fromtimestamp(record.created).astimezone()
        return local.isoformat(" ", "milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escape_unprintable(record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": rfc3339(CalendarTime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
