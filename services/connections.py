"""The connection registry: delivers frames to open sockets, and closes those of ended sessions.

Sockets don't delay each other, because `Subscription.deliver` never waits. A failed subscription is
logged and dropped; the others still get the frame.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum

from core.records import Caller
from services.frames import Frame
from services.replies import Reply
from services.subscriptions import Subscription

MAX_SOCKETS = 20  # per user (contract, section 7)

log = logging.getLogger("quillium.socket")


class Close(IntEnum):
    """WebSocket close codes: those of RFC 6455, section 7.4, and custom ones above 4000."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    SESSION_ENDED = 4401
    TOO_MANY = 4409


class ConnectionRegistry:
    """The subscriptions of each user, oldest first."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str, list[Subscription]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())

    def add(self, subscription: Subscription) -> None:
        """Add a subscription to its user's frames. Above the maximum, close the oldest one."""
        subscriptions = self._subscriptions[subscription.socket.caller.user.id]
        subscriptions.append(subscription)
        if len(subscriptions) > MAX_SOCKETS:
            oldest = subscriptions.pop(0)
            oldest.socket.close(Close.TOO_MANY, "too many sockets")

    def remove(self, subscription: Subscription) -> None:
        """Stop delivering frames to a subscription. Idempotent."""
        user_id = subscription.socket.caller.user.id
        if subscription in self._subscriptions.get(user_id, ()):
            self._subscriptions[user_id].remove(subscription)
            if not self._subscriptions[user_id]:
                del self._subscriptions[user_id]

    def publish(
        self,
        user_id: str,
        frame: Frame,
        reply: Reply | None = None,
        sender: Subscription | None = None,
    ) -> None:
        """Send a frame to all sockets of a user except `sender`. Call this after the commit.

        Never raises: if a subscription fails, its socket is closed and the client reconnects. The
        frame is encoded once. Pass `reply` if the frame is a delta of that reply.
        """
        for subscription in tuple(self._subscriptions.get(user_id, ())):
            if subscription is not sender:
                try:
                    subscription.deliver(frame, reply)
                except Exception:
                    log.exception("a %s frame could not be delivered", frame.type)
                    self._drop(subscription)

    def end_session(self, user_id: str, session_id: str) -> None:
        self._end(user_id, lambda caller: caller.session_id == session_id)

    def end_other_sessions(self, user_id: str, session_id: str | None) -> None:
        """Close the sockets of all sessions except this one; keep those of API keys."""
        self._end(user_id, lambda caller: caller.session_id not in (None, session_id))

    def end_user(self, user_id: str) -> None:
        self._end(user_id, lambda _: True)

    def end_api_key(self, user_id: str, api_key_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id == api_key_id)

    def end_api_keys(self, user_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id is not None)

    def close_all(self, code: Close = Close.GOING_AWAY, reason: str = "shutting down") -> None:
        """Close all sockets, by default because the server is shutting down."""
        for subscriptions in list(self._subscriptions.values()):
            for subscription in tuple(subscriptions):
                subscription.socket.close(code, reason)

    def _drop(self, subscription: Subscription) -> None:
        self.remove(subscription)
        with contextlib.suppress(Exception):  # the original failure is already logged
            subscription.socket.close(Close.INTERNAL_ERROR, "internal_error")

    def _end(self, user_id: str, is_meant: Callable[[Caller], bool]) -> None:
        for subscription in tuple(self._subscriptions.get(user_id, ())):
            if is_meant(subscription.socket.caller):
                self.remove(subscription)
                subscription.socket.close(Close.SESSION_ENDED, "invalid_token")
