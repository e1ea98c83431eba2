"""What the process tells whoever runs it: text for a terminal, a JSON object a line for machines.

A line is written by a thread of its own. Somebody who reads stderr slowly or not at all, such as
a desktop application that never looks at its sidecar's pipe, can't hold up the server: what does
not fit into the queue is left out.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from typing import Any

from core.times import rfc3339

MAX_WAITING = 10_000  # lines
_END_SECONDS = 1.0  # for what still waits when the process ends
_FIELDS = "fields"  # the attribute of a record that holds what it tells beside its text


class Log:
    """Logs to stderr from now on. A context manager: at its end what waits is written.

    `format` is text, json, or auto: text on a terminal, else JSON.
    """

    def __init__(self, level: str, format: str) -> None:
        is_text = format == "text" or (format == "auto" and sys.stderr.isatty())
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._write, name="quillium-log", daemon=True)
        self._thread.start()
        handler = _Unhurried(self._waiting)
        handler.setFormatter(TextFormatter() if is_text else JsonFormatter())
        logging.basicConfig(level=level, handlers=[handler], force=True)
        logging.getLogger("tornado.access").setLevel(logging.ERROR)  # ours is `quillium.access`
        logging.getLogger("asyncio").setLevel(logging.WARNING)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=_END_SECONDS)
            self._thread.join(_END_SECONDS)

    def _write(self) -> None:
        # Not by `sys.stderr`: a write that is stuck would hold its lock, and the end waits for it.
        descriptor = sys.stderr.fileno()
        while (line := self._waiting.get()) is not None:
            left = f"{line}\n".encode()
            with contextlib.suppress(OSError):  # nobody is there to be told
                while left:
                    left = left[os.write(descriptor, left) :]


class _Unhurried(logging.Handler):
    def __init__(self, waiting: queue.Queue[str | None]) -> None:
        super().__init__()
        self._waiting = waiting

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.put_nowait(self.format(record))
        except queue.Full:
            pass
        except Exception:
            self.handleError(record)


def fields(**told: Any) -> dict[str, Any]:
    """For `extra=` of a logging call: what machines are told beside the text."""
    return {_FIELDS: told}


class TextFormatter(logging.Formatter):
    """Escapes line breaks and escape codes, so that nobody can write a log line of their own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = "".join(c if c.isprintable() else repr(c)[1:-1] for c in record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": rfc3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
