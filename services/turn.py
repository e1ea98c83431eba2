"""A turn: the messages that one reply answers, and the state of that reply."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from core.records import Status
from services.replies import Reply
from services.watchers import Watcher
from storage import turns


class ReplyState(Enum):
    """The state of a reply. Only `Turn.enter` changes it."""

    WAITING = auto()  # no text is streamed yet
    STREAMING = auto()  # the provider is streaming
    ENDING = auto()  # the end is being stored
    OVER = auto()  # nothing more is published


@dataclass(eq=False)
class Turn:
    """The messages that one reply answers, its watchers, and its state."""

    requested_at: float  # seconds on the event loop's clock
    answers: set[str] = field(default_factory=set)  # ids of the user's messages
    watchers: list[Watcher] = field(default_factory=list)
    is_from_page: bool = False  # a reader watches the reply
    state: ReplyState = ReplyState.WAITING
    begun: turns.Begun | None = None  # set when the reply's row is stored
    reply: Reply | None = None  # set when the state leaves `WAITING`
    cut: Status | None = None  # status of a reply that ends early
    streaming: asyncio.Timeout | None = None  # the time-out scope that `cut_short` cancels

    def cut_short(self, status: Status) -> None:
        """End the reply with this status, now or as soon as it begins."""
        if self.cut is None:
            self.cut = status
            if self.state is ReplyState.STREAMING and self.streaming is not None:
                self.streaming.reschedule(asyncio.get_running_loop().time())

    def enter(self, state: ReplyState) -> None:
        """Change the state of the reply. `OVER` is final and stops publishing."""
        if self.state is ReplyState.OVER:
            return
        self.state = state
        if state is ReplyState.OVER:
            if self.reply is not None:
                self.reply.close()
            for watcher in self.watchers:
                watcher.end()
