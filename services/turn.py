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
    """How far a reply has come. `Turn.enter` alone changes it."""

    WAITING = auto()  # nothing of it is streamed yet
    STREAMING = auto()  # the provider writes it
    ENDING = auto()  # its end is being stored
    OVER = auto()  # nothing more is published of it


@dataclass(eq=False)
class Turn:
    """What one reply answers, who watches it, and how far it has come."""

    requested_at: float  # seconds of the loop's clock
    answers: set[str] = field(default_factory=set)  # ids of the user's messages
    watchers: list[Watcher] = field(default_factory=list)
    state: ReplyState = ReplyState.WAITING
    begun: turns.Begun | None = None  # once the reply's row is stored
    reply: Reply | None = None  # from the first state after `WAITING`
    cut: Status | None = None  # why it ends early
    streaming: asyncio.Timeout | None = None  # the scope that `cut_short` cancels

    def cut_short(self, status: Status) -> None:
        """End the reply with this status: now, or as soon as it has begun."""
        if self.cut is None:
            self.cut = status
            if self.state is ReplyState.STREAMING and self.streaming is not None:
                self.streaming.reschedule(asyncio.get_running_loop().time())

    def enter(self, state: ReplyState) -> None:
        """Change the state of the reply. One that is over stays over, and publishes nothing."""
        if self.state is ReplyState.OVER:
            return
        self.state = state
        if state is ReplyState.OVER:
            if self.reply is not None:
                self.reply.close()
            for watcher in self.watchers:
                watcher.end()
