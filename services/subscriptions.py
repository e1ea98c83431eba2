"""Per-socket delivery cursor: what the socket was sent, and what it still lacks.

Whatever happens at the same moment, a socket gets each numbered frame once and in order, and the
text of each reply from its beginning. While it catches up, numbered frames come from the database
alone; then it goes live in one step, and skips what it was sent from the database already.

A slow socket gets fewer and longer deltas: while bytes wait for it, the deltas of a reply are held
back, and sent as one when the socket has drained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol
from weakref import WeakSet

from core.records import Caller
from services.frames import Frame
from services.replies import Position, Reply


class Socket(Protocol):
    """An open socket, as the application sees it."""

    @property
    def caller(self) -> Caller: ...

    @property
    def is_busy(self) -> bool:
        """Whether so much is unsent that deltas should be held back."""

    def send(self, encoded: bytes) -> None:
        """Queue a frame; never waits and never raises."""

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Sources(NamedTuple):
    """Where a subscription gets what its socket lacks."""

    missed: Callable[[int], list[Frame]]  # some frames after a number; empty when none is left
    streamed_replies: Callable[[], Iterable[Reply]]  # those that are being written just now


class Subscription:
    """`since` is the last number that the client saw; None to start with what happens now."""

    def __init__(
        self, socket: Socket, sources: Sources, since: int | None, *, receives_chats: bool
    ) -> None:
        self.socket = socket
        self._sources = sources
        self._receives_chats = receives_chats
        self._last = since or 0  # the number of the last frame that was sent
        self._is_live = since is None
        self._followed: WeakSet[Reply] = WeakSet()  # replies whose beginning the socket gets
        self._behind: dict[str, tuple[Reply, Position]] = {}  # by message id: what it was sent
        if self._is_live:
            self._join_replies()

    def deliver(self, frame: Frame, reply: Reply | None = None) -> None:
        """Send a published frame; `reply` is given when the frame is a delta of that reply."""
        if not self._is_live:
            if frame.type == "error":
                self.socket.send(frame.encoded)
        elif reply is not None:
            self._deliver_delta(frame, reply)
        elif frame.type != "chat" or self._receives_chats:
            if frame.seq is not None:
                if frame.seq <= self._last:
                    return
                self._last = frame.seq
            if frame.type == "message":  # a reply's text comes before its end
                self._send_rest(frame.data["id"])
            self.socket.send(frame.encoded)

    def _deliver_delta(self, frame: Frame, reply: Reply) -> None:
        """Send a delta, unless it comes with what is held back, or its beginning was never sent.

        The latter happens to a socket that joins between the commit of a chat's deletion and its
        publication: it was told already that the chat is gone.
        """
        before = reply.published._replace(**_offset(frame))
        if reply not in self._followed:
            if before != Position():
                return
            self._followed.add(reply)
        if reply.message.id in self._behind:
            return
        if self.socket.is_busy:
            self._behind[reply.message.id] = (reply, before)
        else:
            self.socket.send(frame.encoded)

    def answer(self, frame: Frame) -> None:
        """Send a frame once more that the client asked for twice, unless it is yet to be sent."""
        if self._is_live or (frame.seq or 0) <= self._last:
            self.socket.send(frame.encoded)

    def resume(self) -> None:
        """Send some of what the socket lacks. Call this whenever the socket has drained."""
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
            self._followed.add(reply)
            self._behind[reply.message.id] = (reply, Position())

    def _send_rest(self, id: str) -> None:
        reply, position = self._behind.pop(id, (None, Position()))
        if reply is not None and not reply.is_over:
            for frame in reply.since(position):
                self.socket.send(frame.encoded)


def _offset(delta: Frame) -> dict[str, int]:
    """Where a delta begins, as a field of `Position`."""
    if "reasoning_offset" in delta.data:
        return {"reasoning": delta.data["reasoning_offset"]}
    return {"text": delta.data["offset"]}
