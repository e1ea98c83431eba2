"""A streaming reply: its text and reasoning so far, and the deltas that publish them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from core.records import Message
from core.times import CalendarClock, rfc3339
from services import frames

DELTA_SECONDS = 1 / 60  # a screen's refresh interval; caps frames at 60 a second


class Position(NamedTuple):
    """The number of published code points of a reply's text and reasoning."""

    text: int = 0
    reasoning: int = 0


class _Track:
    """A text that grows in pieces, and how much of it has been published."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.published = 0  # code points
        self._published_pieces = 0

    def __str__(self) -> str:
        return "".join(self.pieces)

    def take_unpublished(self) -> str:
        """Return the text added since the last call, for the caller to publish."""
        unpublished = "".join(self.pieces[self._published_pieces :])
        self._published_pieces = len(self.pieces)
        self.published += len(unpublished)
        return unpublished


class Reply:
    """A streaming reply. Its concatenated deltas are its text, without gaps or overlaps.

    Reasoning has separate deltas, which are published before those of the text.
    """

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
        self._text = _Track()
        self._reasoning = _Track()
        self._published_at = 0.0
        self._typing: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None  # publishes the text added meanwhile
        self.is_over = False

    @property
    def has_begun(self) -> bool:
        """Return whether there is any text or reasoning yet."""
        return bool(self._text.pieces or self._reasoning.pieces)

    @property
    def published(self) -> Position:
        return Position(self._text.published, self._reasoning.published)

    def text(self) -> str:
        return str(self._text)

    def reasoning(self) -> str | None:
        """Return the reasoning, or None if there is none."""
        return str(self._reasoning) or None

    def announce(self) -> None:
        """Publish an empty delta, unless text arrives within `DELTA_SECONDS`."""
        self._typing = self._loop.call_later(DELTA_SECONDS, self._publish_typing)

    def add(self, piece: str) -> None:
        """Append to the text; publish it at once, or batched after `DELTA_SECONDS`."""
        self._add(self._text, piece)

    def add_reasoning(self, piece: str) -> None:
        """Append to the reasoning; published with the same batching as the text."""
        self._add(self._reasoning, piece)

    def flush(self) -> None:
        """Publish the text and reasoning that are not published yet."""
        self._cancel_timers()
        if self.is_over:
            return
        self._published_at = self._loop.time()
        for track, delta in ((self._reasoning, self._reasoning_delta), (self._text, self._delta)):
            offset = track.published
            text = track.take_unpublished()
            if text:
                self._publish(self, delta(text, offset))

    def since(self, position: Position) -> list[frames.Frame]:
        """Return the deltas after `position` in as few frames as possible, at least one."""
        reasoning = self.reasoning() or ""
        missed = reasoning[position.reasoning : self._reasoning.published]
        told = [self._reasoning_delta(missed, position.reasoning)] if missed else []
        text = self.text()[position.text : self._text.published]
        return told if told and not text else [*told, self._delta(text, position.text)]

    def close(self) -> None:
        """Stop publishing deltas, because the end was published or the chat was deleted."""
        self.is_over = True
        self._cancel_timers()

    def _add(self, track: _Track, piece: str) -> None:
        track.pieces.append(piece)
        if self._timer is not None:
            return
        wait = self._published_at + DELTA_SECONDS - self._loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(wait, self.flush)

    def _publish_typing(self) -> None:
        self._typing = None
        self._publish(self, self._delta("", 0))

    def _delta(self, text: str, offset: int) -> frames.Frame:
        return frames.delta(self.message, text, offset, rfc3339(self._clock()))

    def _reasoning_delta(self, text: str, offset: int) -> frames.Frame:
        return frames.reasoning_delta(self.message, text, offset, rfc3339(self._clock()))

    def _cancel_timers(self) -> None:
        for timer in (self._typing, self._timer):
            if timer is not None:
                timer.cancel()
        self._typing = self._timer = None
