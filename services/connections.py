"""The registry of open sockets: whom a frame reaches, and who must go.

It sees objects with `send` and `close`, never Tornado. A socket that cannot keep up is its own
handler's business: `send` never waits, so that nobody waits for another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from core.records import Caller
from services.frames import Frame

MOST_SOCKETS = 20  # of one user (contract, section 7)


class Close(IntEnum):
    """Why a socket is closed: codes of RFC 6455, section 7.4, and our own above 4000."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013
    SESSION_ENDED = 4401
    TOO_MANY = 4409


class Socket(Protocol):
    """An open socket, as the registry sees it."""

    caller: Caller

    def send(self, text: str) -> None:
        """Queue a frame; never waits and never raises."""

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Connections:
    """The open sockets of each user, in the order in which they came."""

    def __init__(self) -> None:
        self._sockets: defaultdict[str, list[Socket]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(sockets) for sockets in self._sockets.values())

    def add(self, socket: Socket) -> None:
        """Let frames of its user reach the socket. The oldest one too many is closed."""
        sockets = self._sockets[socket.caller.user.id]
        sockets.append(socket)
        if len(sockets) > MOST_SOCKETS:
            oldest = sockets.pop(0)
            oldest.close(Close.TOO_MANY, "too many sockets")

    def remove(self, socket: Socket) -> None:
        """No frame reaches it from now on. Twice is harmless."""
        user_id = socket.caller.user.id
        if socket in self._sockets.get(user_id, ()):
            self._sockets[user_id].remove(socket)
            if not self._sockets[user_id]:
                del self._sockets[user_id]

    def publish(self, user_id: str, frame: Frame) -> str:
        """Send a frame to every socket of the user; call it once the frame's fact is durable."""
        text = frame.encode()
        for socket in tuple(self._sockets.get(user_id, ())):
            socket.send(text)
        return text

    def end_session(self, user_id: str, session_id: str) -> None:
        self._end(user_id, lambda caller: caller.session_id == session_id)

    def end_other_sessions(self, user_id: str, session_id: str | None) -> None:
        """Close what belongs to another session than this one; API keys' sockets stay."""
        self._end(user_id, lambda caller: caller.session_id not in (None, session_id))

    def end_api_key(self, user_id: str, api_key_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id == api_key_id)

    def close_all(self) -> None:
        """Tell every socket that the server goes away."""
        for sockets in list(self._sockets.values()):
            for socket in tuple(sockets):
                socket.close(Close.GOING_AWAY, "shutting down")

    def _end(self, user_id: str, is_meant: Callable[[Caller], bool]) -> None:
        for socket in tuple(self._sockets.get(user_id, ())):
            if is_meant(socket.caller):
                self.remove(socket)
                socket.close(Close.SESSION_ENDED, "invalid_token")
