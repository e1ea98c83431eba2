"""Server-Sent Events: the frames of one turn, queued for one HTTP response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from services.frames import Frame

MAX_QUEUED_BYTES = 1 << 20  # unread by the client


class Watcher:
    """A queue of the frames of one turn.

    It never delays the reply: after `MAX_QUEUED_BYTES` of unread frames, the queue ends.
    """

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._queued_bytes = 0
        self._has_ended = False

    def put(self, frame: Frame) -> None:
        """Queue a frame. Never waits."""
        if self._has_ended:
            return
        self._queued_bytes += len(frame.encoded)
        self._frames.put_nowait(frame)
        if self._queued_bytes > MAX_QUEUED_BYTES:
            self.end()

    def end(self) -> None:
        """End the queue after its last frame. Idempotent."""
        if not self._has_ended:
            self._has_ended = True
            self._frames.put_nowait(None)

    async def frames(self, silence: float) -> AsyncIterator[Frame | None]:
        """Yield each frame, and None after every `silence` seconds without one."""
        while True:
            try:
                async with asyncio.timeout(silence):
                    frame = await self._frames.get()
            except TimeoutError:
                yield None
                continue
            if frame is None:
                return
            self._queued_bytes -= len(frame.encoded)
            yield frame
