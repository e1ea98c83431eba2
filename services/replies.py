"""A reply as it comes, and those who watch its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from core.records import Message
from core.times import rfc3339
from services import frames

DELTA_SECONDS = 1 / 60  # a screen shows no more; 10,000 tokens a second stay 60 frames
MAX_WAITING = 1 << 20  # bytes that may wait for a watcher that does not read


class Watcher:
    """A queue of the frames of one turn, for a stream of Server-Sent Events.

    It never holds up the turn: one that does not read is let go, and the reply goes on.
    """

    def __init__(self) -> None:
        self._frames: asyncio.Queue[frames.Frame | None] = asyncio.Queue()
        self._waiting = 0
        self._has_ended = False

    def put(self, frame: frames.Frame) -> None:
        if self._has_ended:
            return
        self._waiting += len(frame.encoded)
        self._frames.put_nowait(frame)
        if self._waiting > MAX_WAITING:
            self.end()

    def end(self) -> None:
        """No frame comes after this one. Twice is harmless."""
        if not self._has_ended:
            self._has_ended = True
            self._frames.put_nowait(None)

    async def frames(self, silence: float) -> AsyncIterator[frames.Frame | None]:
        """Each frame; None whenever nothing came for `silence` seconds."""
        while True:
            try:
                frame = await asyncio.wait_for(self._frames.get(), silence)
            except TimeoutError:
                yield None
                continue
            if frame is None:
                return
            self._waiting -= len(frame.encoded)
            yield frame


class Reply:
    """What was said so far. Its deltas, joined, are the text; each begins where the last ended."""

    def __init__(
        self,
        message: Message,
        publish: Callable[[Reply, frames.Frame], None],
        clock: Callable[[], float],
    ) -> None:
        self.message = message
        self._publish = publish
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._pieces: list[str] = []
        self._sent = 0  # pieces
        self._offset = 0  # code points that were sent
        self._sent_at = 0.0
        self._typing: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None  # that sends what was said meanwhile
        self.is_over = False  # no more is told of it

    @property
    def has_begun(self) -> bool:
        """Whether anything was said yet."""
        return bool(self._pieces)

    def text(self) -> str:
        return "".join(self._pieces)

    def announce(self) -> None:
        """Tell that somebody types, unless there is a word before anybody could see it."""
        self._typing = self._loop.call_later(DELTA_SECONDS, self._tell_of_typing)

    def _tell_of_typing(self) -> None:
        self._typing = None
        self._publish(self, frames.delta(self.message, "", 0, rfc3339(self._clock())))

    def say(self, piece: str) -> None:
        """Add to the reply; goes out at once, or with what follows within `DELTA_SECONDS`."""
        self._pieces.append(piece)
        if self._timer is not None:
            return
        wait = self._sent_at + DELTA_SECONDS - self._loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Send what was said and not sent yet."""
        for timer in (self._typing, self._timer):
            if timer is not None:
                timer.cancel()
        self._typing = self._timer = None
        text = "".join(self._pieces[self._sent :])
        if not text:
            return
        self._sent = len(self._pieces)
        frame = frames.delta(self.message, text, self._offset, rfc3339(self._clock()))
        self._offset += len(text)
        self._sent_at = self._loop.time()
        self._publish(self, frame)

    def since(self, offset: int) -> frames.Frame:
        """In one frame, what was sent from `offset` on (code points) until now."""
        sent = self.text()[offset : self._offset]
        return frames.delta(self.message, sent, offset, rfc3339(self._clock()))
