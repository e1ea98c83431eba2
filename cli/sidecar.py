"""The protocol between a sidecar and the desktop application that started it (section 10).

The application is the parent process. It has the other ends of stdin and stdout, which the
system closes when the parent ends for any reason.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from cli.stopping import Stopping
from cli.streams import print_line
from core.options import ConfigError

_LONGEST_REQUEST = 1 << 16  # bytes
# Returns the response to a request of the parent, None for a line that is no request.
Respond = Callable[[str | None], Awaitable[dict[str, Any]]]


class Parent:
    """Watches stdin and stdout from a thread, and stops the server when either one closes.

    Requests are lines such as `{"request": "tokens"}`. They are processed in order, each with a
    one-line response on stdout. Any other line but a blank one gets an error as its response.
    """

    def __init__(self, stopping: Stopping, respond: Respond) -> None:
        self._stopping = stopping
        self._respond = respond
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()

    def watch(self) -> None:
        """Start watching. May be called while the server is starting."""
        threading.Thread(target=self._watch, name="quillium-parent", daemon=True).start()

    def _watch(self) -> None:
        with suppress(OSError):
            for line in _lines_of_stdin():
                if line.strip():
                    answering = self._answer(_request_of(line))
                    asyncio.run_coroutine_threadsafe(answering, self._loop)
        self._stopping.request()

    async def _answer(self, request: str | None) -> None:
        async with self._turn:
            response = json.dumps(await self._respond(request))
            # In a thread: a parent that does not read must not block the server.
            with suppress(ConfigError):  # stdout is broken, which `_watch` detects
                await self._loop.run_in_executor(None, print_line, response)


def _request_of(line: bytes) -> str | None:
    with suppress(ValueError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict) and isinstance(message.get("request"), str):
            return str(message["request"])
    return None


def _lines_of_stdin() -> Iterator[bytes]:
    """Yield lines until stdin ends or stdout breaks. Raises `OSError`."""
    rest = b""
    while _is_connected():
        # Not `sys.stdin`, whose lock would still be held when the process exits.
        received = os.read(0, 4096)
        if not received:
            return
        *lines, rest = (rest + received).split(b"\n")
        yield from lines
        rest = rest[-_LONGEST_REQUEST:]


def _is_connected() -> bool:
    """Wait for input on stdin. Return False if stdout is broken. Raises `OSError`."""
    if sys.platform == "win32":  # it has no poll()
        return True
    poller = select.poll()
    poller.register(0, select.POLLIN)
    poller.register(1, 0)  # errors are always reported
    return 1 not in dict(poller.poll())
