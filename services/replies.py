"""A reply while it is written: its text so far, and the deltas in which it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.records import Message
from core.times import CalendarClock, rfc3339
from services import frames

DELTA_SECONDS = 1 / 60  # a screen shows no more; 10,000 tokens a second stay 60 frames


class Reply:
    """The text so far. Its deltas, joined, are that text; each begins where the last one ended."""

    def __init__(
        self,
        message: Message,
        publish: Callable[[Reply, frames.Frame], None],
        clock: CalendarClock,
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
        self._timer: asyncio.TimerHandle | None = None  # sends what was added meanwhile
        self.is_over = False

    @property
    def has_begun(self) -> bool:
        """Whether there is any text yet."""
        return bool(self._pieces)

    def text(self) -> str:
        return "".join(self._pieces)

    def announce(self) -> None:
        """Publish an empty delta, unless text follows before anybody could see it."""
        self._typing = self._loop.call_later(DELTA_SECONDS, self._publish_typing)

    def add(self, piece: str) -> None:
        """Append to the text; publish it at once, or with what follows within `DELTA_SECONDS`."""
        self._pieces.append(piece)
        if self._timer is not None:
            return
        wait = self._sent_at + DELTA_SECONDS - self._loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Publish what was added and not published yet."""
        self._cancel_timers()
        text = "".join(self._pieces[self._sent :])
        if not text or self.is_over:
            return
        self._sent = len(self._pieces)
        frame = frames.delta(self.message, text, self._offset, rfc3339(self._clock()))
        self._offset += len(text)
        self._sent_at = self._loop.time()
        self._publish(self, frame)

    def since(self, offset: int) -> frames.Frame:
        """Return in one frame what was published from `offset` on (code points) until now."""
        sent = self.text()[offset : self._offset]
        return frames.delta(self.message, sent, offset, rfc3339(self._clock()))

    def close(self) -> None:
        """Publish no more deltas: the end was published, or the chat was deleted."""
        self.is_over = True
        self._cancel_timers()

    def _publish_typing(self) -> None:
        self._typing = None
        self._publish(self, frames.delta(self.message, "", 0, rfc3339(self._clock())))

    def _cancel_timers(self) -> None:
        for timer in (self._typing, self._timer):
            if timer is not None:
                timer.cancel()
        self._typing = self._timer = None
