"""What a command is doing, for somebody who waits at a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TextIO

# Is told what is being done, and which share of it is done; None where nobody knows.
ProgressCallback = Callable[[str, "float | None"], None]

PATIENCE_SECONDS = 1.0  # what is done sooner needs no progress shown
_REDRAW_SECONDS = 0.2


class Progress:
    """One line that is drawn over and over, from a thread of its own; nothing but on a terminal.

    A context manager: the line is wiped at its end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._doing: tuple[str, float | None] = ("", None)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __call__(self, doing: str, share: float | None) -> None:
        """Say what is being done, and which share of it is done; None where nobody knows."""
        self._doing = (doing, share)

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _draw(self) -> None:
        if self._ended.wait(PATIENCE_SECONDS):
            return
        while not self._ended.wait(_REDRAW_SECONDS):
            doing, share = self._doing
            if not doing:
                continue
            passed = time.monotonic() - self._began
            done = f"{passed:.0f} s" if share is None else f"{share:.0%}"
            self._write(f"{doing}: {done}")
        self._write("")

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()
