"""Stop requests: signals, and calls from other threads."""

from __future__ import annotations

import _thread
import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# SIGHUP is sent when a terminal closes, SIGBREAK when a Windows console closes.
_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
_HANGUP = getattr(signal, "SIGHUP", None)


class Interrupted(BaseException):
    """The server was asked to stop while it was starting."""


class Stopping:
    """Turns the first signal into a graceful shutdown. A second one kills the process.

    The second signal has its default action, which runs no Python code, so a long call into SQLite
    can't delay it. As with SIGKILL, no acknowledged data is lost. Further SIGHUPs are ignored,
    because a closing terminal sends more than one.
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
        """Install the signal handlers. Call it on the event loop's thread, the main thread."""
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # Not `loop.add_signal_handler`, which Windows lacks. `nohup` ignores SIGHUP.
            if number != _HANGUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def uninstall(self) -> None:
        """Let signals end the process, which may live on: the watcher of `--dev` does."""
        for number in _SIGNALS:
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, signal.SIG_DFL)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise `Interrupted` on the main thread if a stop is requested inside this block.

        Used during start-up, which blocks the event loop.
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
        with suppress(RuntimeError):  # the loop is already closed
            self._loop.call_soon_threadsafe(self._event.set)
