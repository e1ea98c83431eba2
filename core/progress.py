"""A progress line on the terminal for long operations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TextIO

# Called with the current task and the completed fraction, or None if that is unknown.
ProgressCallback = Callable[[str, "float | None"], None]

PATIENCE_SECONDS = 1.0  # shorter operations show no progress
_REDRAW_SECONDS = 0.2


class Progress:
    """One line, redrawn by a separate thread. Draws nothing unless `stream` is a terminal.

    A context manager: the line is erased on exit. Errors of a closed terminal are ignored.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._current: tuple[str, float | None] = ("", None)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="quillium-progress", daemon=True)

    def __call__(self, doing: str, share: float | None) -> None:
        """Set the current task and the completed fraction, or None if that is unknown."""
        self._current = (doing, share)

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _draw(self) -> None:
        began = time.monotonic()
        if self._ended.wait(PATIENCE_SECONDS):
            return
        try:
            while not self._ended.wait(_REDRAW_SECONDS):
                doing, share = self._current
                if not doing:
                    continue
                passed = time.monotonic() - began
                done = f"{passed:.0f} s" if share is None else f"{share:.0%}"
                self._write(f"{doing}: {done}")
            self._write("")
        except OSError:
            pass

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()
