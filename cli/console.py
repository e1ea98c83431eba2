"""The Windows console, which terminates its processes without a signal when it is closed.

Python also receives SIGBREAK, but Windows ends the process as soon as the C library has recorded
it. Our own handler runs first and delays that. This has not been tested on Windows.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cli.stopping import Stopping

_CLOSE, _LOGOFF, _SHUTDOWN = 2, 5, 6  # events of the Windows console API
_LONGEST_SECONDS = 10.0  # Windows waits for 5 s when a console is closed, and longer at shutdown


class ConsoleHandler:
    """Handle an event. Windows calls this on a separate thread and waits for it to return."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self.has_ended = threading.Event()

    def __call__(self, event: int) -> bool:
        """Stop the server and wait until it has stopped. Return whether the event was handled."""
        if event not in (_CLOSE, _LOGOFF, _SHUTDOWN):
            return False  # Ctrl-C and Ctrl-Break are signals
        self._stopping.request()
        self.has_ended.wait(_LONGEST_SECONDS)
        return True


@contextmanager
def drain_on_console_close(stopping: Stopping) -> Iterator[None]:
    """Shut down gracefully when the console is closed. Does nothing except on Windows."""
    handler = ConsoleHandler(stopping)
    if sys.platform == "win32":
        import ctypes
        from ctypes import wintypes

        registered = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)(handler)
        ctypes.windll.kernel32.SetConsoleCtrlHandler(registered, True)
    try:
        yield
    finally:
        handler.has_ended.set()
