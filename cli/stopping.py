"""When a server stops: signals, and requests to stop from other threads."""

from __future__ import annotations

import _thread
import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# SIGHUP comes when a terminal is closed, and SIGBREAK when a console is closed on Windows.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
_HANGUP = getattr(signal, "SIGHUP", None)


class Interrupted(BaseException):
    """A request to stop came while the server was starting."""


class Stopping:
    """Turns the first signal into an orderly stop. A second one ends the process at once.

    At once means by the signal's default action: no Python code has to run for it, so a long call
    into SQLite can't delay it. Nothing acknowledged is lost by that, as with SIGKILL. Further
    SIGHUPs are ignored, because a closed terminal sends more than one.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self._is_requested = False
        self._is_interruptible = False
        self._is_interrupting = False

    def is_requested(self) -> bool:
        return self._is_requested

    async def wait(self) -> None:
        """Return once the server should stop."""
        await self._event.wait()

    def install(self) -> None:
        """Handle signals from now on. Call it on the event loop's thread, which is the main one."""
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # Not `loop.add_signal_handler`, which Windows does not have. `nohup` ignores SIGHUP.
            if number != _HANGUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise `Interrupted` when a request to stop comes in here, on the main thread.

        For the start, which blocks the event loop.
        """
        self._is_interruptible = True
        try:
            if self._is_requested:
                raise Interrupted
            yield
        finally:
            self._is_interruptible = False

    def request(self) -> None:
        """Stop the server. May be called on any thread, and more than once."""
        self._is_requested = True
        if self._is_interruptible:
            self._is_interrupting = True
            _thread.interrupt_main(signal.SIGTERM)
        self._set_event()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._is_interrupting:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_IGN if each == _HANGUP else signal.SIG_DFL)
        self._is_interrupting = False
        self._is_requested = True
        self._set_event()
        if self._is_interruptible:
            self._is_interruptible = False
            raise Interrupted

    def _set_event(self) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._event.set)
