"""The console of Windows, which ends its processes without a signal when it is closed.

Python's SIGBREAK comes then, too, but Windows ends the process as soon as the C library has noted
it. A handler of our own is called first, and holds that up. It was not tried on Windows.
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
    """Called by Windows on a thread of its own. The process lives until it returns."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self.has_ended = threading.Event()

    def __call__(self, event: int) -> bool:
        """Stop the server and wait for its end. Return whether the event was handled."""
        if event not in (_CLOSE, _LOGOFF, _SHUTDOWN):
            return False  # Ctrl-C and Ctrl-Break are signals
        self._stopping.request()
        self.has_ended.wait(_LONGEST_SECONDS)
        return True


@contextmanager
def drain_on_console_close(stopping: Stopping) -> Iterator[None]:
    """Let the server end in order when its console is closed. Does nothing but on Windows."""
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
