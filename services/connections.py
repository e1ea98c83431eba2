"""The registry of open sockets: whom a frame reaches, and who must go.

Nobody waits for another: `Listener.hear` never waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum

from core.records import Caller
from services.frames import Frame
from services.listeners import Listener
from services.replies import Reply

MOST_SOCKETS = 20  # of one user (contract, section 7)


class Close(IntEnum):
    """Why a socket is closed: codes of RFC 6455, section 7.4, and our own above 4000."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013
    SESSION_ENDED = 4401
    TOO_MANY = 4409


class Connections:
    """The listeners of each user, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(listeners) for listeners in self._listeners.values())

    def add(self, listener: Listener) -> None:
        """Let frames of its user reach the listener. The oldest one too many is closed."""
        listeners = self._listeners[listener.socket.caller.user.id]
        listeners.append(listener)
        if len(listeners) > MOST_SOCKETS:
            oldest = listeners.pop(0)
            oldest.socket.close(Close.TOO_MANY, "too many sockets")

    def remove(self, listener: Listener) -> None:
        """No frame reaches it from now on. Twice is harmless."""
        user_id = listener.socket.caller.user.id
        if listener in self._listeners.get(user_id, ()):
            self._listeners[user_id].remove(listener)
            if not self._listeners[user_id]:
                del self._listeners[user_id]

    def publish(self, user_id: str, frame: Frame, reply: Reply | None = None) -> None:
        """Tell all the user's sockets; call it once the frame's fact is durable.

        It is encoded once, however many they are. `reply` is there when it is a delta of that.
        """
        for listener in tuple(self._listeners.get(user_id, ())):
            listener.hear(frame, reply)

    def end_session(self, user_id: str, session_id: str) -> None:
        self._end(user_id, lambda caller: caller.session_id == session_id)

    def end_other_sessions(self, user_id: str, session_id: str | None) -> None:
        """Close what belongs to another session than this one; API keys' sockets stay."""
        self._end(user_id, lambda caller: caller.session_id not in (None, session_id))

    def end_user(self, user_id: str) -> None:
        self._end(user_id, lambda _: True)

    def end_api_key(self, user_id: str, api_key_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id == api_key_id)

    def close_all(self) -> None:
        """Tell every socket that the server goes away."""
        for listeners in list(self._listeners.values()):
            for listener in tuple(listeners):
                listener.socket.close(Close.GOING_AWAY, "shutting down")

    def _end(self, user_id: str, is_meant: Callable[[Caller], bool]) -> None:
        for listener in tuple(self._listeners.get(user_id, ())):
            if is_meant(listener.socket.caller):
                self.remove(listener)
                listener.socket.close(Close.SESSION_ENDED, "invalid_token")
