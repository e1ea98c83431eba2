"""One socket's place in what its user is told: what it was sent, and what it still lacks.

Whatever happens at the same moment, it gets each numbered frame once and in order, and the text of
each reply whole. While it catches up, numbered frames come to it from the database alone; then it
goes live in one step, and what was sent from the database already is not sent again.

A socket that can't keep up gets fewer and longer deltas: while bytes wait for it, those of a reply
are kept back, and sent as one when it has drained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from core.records import Caller
from services.frames import Frame
from services.replies import Reply


class Socket(Protocol):
    """An open socket, as the application sees it."""

    caller: Caller

    @property
    def is_busy(self) -> bool:
        """Whether so much waits to be sent that it had better not become more."""

    def send(self, encoded: bytes) -> None:
        """Queue a frame; never waits and never raises."""

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Sources(NamedTuple):
    """Where a subscription gets what it lacks."""

    missed: Callable[[int], list[Frame]]  # some frames after a number; nothing when none is left
    streamed_replies: Callable[[], Iterable[Reply]]  # those that are being written just now


class Subscription:
    """`since` is the last number that the client saw; None to begin with what happens now."""

    def __init__(
        self, socket: Socket, sources: Sources, since: int | None, *, receives_chats: bool
    ) -> None:
        self.socket = socket
        self._sources = sources
        self._hears_chats = receives_chats
        self._last = since or 0  # the number of the last frame that was sent
        self._is_live = since is None
        self._behind: dict[str, tuple[Reply, int]] = {}  # by message id: from where it lacks text
        if self._is_live:
            self._join_replies()

    def deliver(self, frame: Frame, reply: Reply | None = None) -> None:
        """Send on what the user is told; `reply` is there when it is a delta of that."""
        if not self._is_live:
            if frame.type == "error":
                self.socket.send(frame.encoded)
            return
        if frame.type == "chat" and not self._hears_chats:
            return
        if frame.seq is not None:
            if frame.seq <= self._last:
                return
            self._last = frame.seq
        if reply is not None:
            if reply.message.id in self._behind:
                return
            if self.socket.is_busy:
                self._behind[reply.message.id] = (reply, frame.data["offset"])
                return
        elif frame.type == "message":  # a reply's text comes before its end
            self._send_rest(frame.data["id"])
        self.socket.send(frame.encoded)

    def answer(self, frame: Frame) -> None:
        """Send again a frame that the client asked for twice, unless its turn is yet to come."""
        if self._is_live or (frame.seq or 0) <= self._last:
            self.socket.send(frame.encoded)

    def resume(self) -> None:
        """Send some of what it lacks. To be called whenever the socket has drained."""
        if not self._is_live:
            missed = self._sources.missed(self._last)
            for frame in missed:
                assert frame.seq is not None
                self._last = frame.seq
                self.socket.send(frame.encoded)
            if missed:
                return
            self._is_live = True
            self._join_replies()
        for id in list(self._behind):
            self._send_rest(id)

    def _join_replies(self) -> None:
        for reply in self._sources.streamed_replies():
            self._behind[reply.message.id] = (reply, 0)

    def _send_rest(self, id: str) -> None:
        reply, offset = self._behind.pop(id, (None, 0))
        if reply is not None and not reply.is_over:
            self.socket.send(reply.since(offset).encoded)
