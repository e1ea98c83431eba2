"""One turn: what it answers, who watches it, and how it can be cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from core import coroutines
from core.errors import NotFound
from core.records import Message, Status
from services import frames
from services.replies import Reply, Watcher


class Turn:
    """One reply of a chat: being waited for, or running."""

    def __init__(self, user_id: str, chat_id: str) -> None:
        self.user_id = user_id
        self.chat_id = chat_id
        self.asked_at = asyncio.get_running_loop().time()  # seconds
        self.answers: set[str] = set()  # ids of the user's messages that it answers
        self.watchers: list[Watcher] = []
        self.reply: Reply | None = None  # from the moment that its row is there
        self.cut: Status | None = None  # why it ends early
        self.is_started = False  # its reply is asked for
        self.is_abandoned = False  # its chat is gone
        self._speaking: asyncio.Future[None] | None = None

    def attach(self, message: Message, watcher: Watcher | None) -> None:
        self.answers.add(message.id)
        if watcher is not None:
            self.watchers.append(watcher)
            if self.reply is not None:
                frame = self.reply.since(0)
                watcher.put(frame)

    def end_early(self, status: Status) -> None:
        """Have it end now, with this status; before it has begun, as soon as it has."""
        if self.cut is None:
            self.cut = status
            if self._speaking is not None:
                self._speaking.cancel()

    def let_watchers_go(self) -> None:
        """No frame of this turn comes any more; of a chat that is gone, say so."""
        for watcher in self.watchers:
            if self.is_abandoned:
                gone = frames.error(NotFound("chat"), chat_id=self.chat_id)
                watcher.put(gone)
            watcher.end()

    async def speak(self, speech: Coroutine[Any, Any, None]) -> None:
        """Have the speech run, which `end_early` may cut. Raises what the provider raises."""
        if self.cut is not None:
            speech.close()
            return
        self._speaking = coroutines.begin(speech)
        try:
            await self._speaking
        except asyncio.CancelledError:
            if self.cut is None:
                raise
