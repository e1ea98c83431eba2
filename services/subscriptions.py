"""Per-socket delivery cursor: tracks which frames and deltas a socket was sent.

Despite concurrent events, a socket gets each numbered frame once and in order, and the text of each
reply from its beginning. While it catches up, numbered frames come from the database only. Then it
goes live in one step, and skips frames that it already got from the database.

A slow socket gets fewer and longer deltas: while it has unsent bytes, the deltas of a reply are
held back, and merged into one when the socket has drained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol
from weakref import WeakSet

from core.records import Caller
from services.frames import Frame
from services.replies import Position, Reply


class Socket(Protocol):
    """The interface of an open socket."""

    @property
    def caller(self) -> Caller: ...

    @property
    def is_busy(self) -> bool:
        """Return whether so much is unsent that deltas should be held back."""

    def send(self, encoded: bytes) -> None:
        """Queue a frame; never waits and never raises."""

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Sources(NamedTuple):
    """The sources of frames and deltas that a socket has missed."""

    missed: Callable[[int], list[Frame]]  # the next frames after a number, if any
    streamed_replies: Callable[[], Iterable[Reply]]  # the currently streaming replies


class Subscription:
    """A socket's cursor. `since` is the last number the client received; None: live frames only."""

    def __init__(
        self, socket: Socket, sources: Sources, since: int | None, *, receives_chats: bool
    ) -> None:
        self.socket = socket
        self._sources = sources
        self._receives_chats = receives_chats
        self._last = since or 0  # the number of the last frame sent
        self._is_live = since is None
        self._followed: WeakSet[Reply] = WeakSet()  # replies sent from the beginning
        self._behind: dict[str, tuple[Reply, Position]] = {}  # by message id: how much was sent
        if self._is_live:
            self._join_replies()

    def deliver(self, frame: Frame, reply: Reply | None = None) -> None:
        """Send a published frame; pass `reply` if the frame is a delta of that reply."""
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
            if frame.type == "message":  # send held-back text before the end of the reply
                self._send_rest(frame.data["id"])
            self.socket.send(frame.encoded)

    def _deliver_delta(self, frame: Frame, reply: Reply) -> None:
        """Send a delta, unless it is held back or the reply's beginning was never sent.

        The latter happens if a socket joins between the commit of a chat's deletion and its
        publication; the replay has already sent the deletion to that socket.
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
        """Resend the frame of a retried message, unless the catch-up will still send it."""
        if self._is_live or (frame.seq or 0) <= self._last:
            self.socket.send(frame.encoded)

    def resume(self) -> None:
        """Send the next missed frames or deltas. Call this whenever the socket has drained."""
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
    """Return the start of a delta, as a field of `Position`."""
    if "reasoning_offset" in delta.data:
        return {"reasoning": delta.data["reasoning_offset"]}
    return {"text": delta.data["offset"]}
