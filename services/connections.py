"""The registry of open sockets: it delivers frames to them, and closes those of ended sessions.

No socket waits for another: `Subscription.deliver` never waits. One that fails is logged and
dropped, and the others get their frame.
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

MAX_SOCKETS = 20  # of one user (contract, section 7)

log = logging.getLogger("quillium.socket")


class Close(IntEnum):
    """Why a socket is closed: codes of RFC 6455, section 7.4, and our own above 4000."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    SESSION_ENDED = 4401
    TOO_MANY = 4409


class ConnectionRegistry:
    """The subscriptions of each user, in the order in which they came."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str, list[Subscription]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())

    def add(self, subscription: Subscription) -> None:
        """Let frames of its user reach the subscription. The oldest one too many is closed."""
        subscriptions = self._subscriptions[subscription.socket.caller.user.id]
        subscriptions.append(subscription)
        if len(subscriptions) > MAX_SOCKETS:
            oldest = subscriptions.pop(0)
            oldest.socket.close(Close.TOO_MANY, "too many sockets")

    def remove(self, subscription: Subscription) -> None:
        """No frame reaches it from now on. Twice is harmless."""
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
        """Send a frame to all sockets of a user except `sender`, once its fact is durable.

        Never raises: the socket of a subscription that fails is closed, and its client comes back.
        The frame is encoded once. `reply` is given when the frame is a delta of that reply.
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
        """Close what belongs to another session than this one; API keys' sockets stay."""
        self._end(user_id, lambda caller: caller.session_id not in (None, session_id))

    def end_user(self, user_id: str) -> None:
        self._end(user_id, lambda _: True)

    def end_api_key(self, user_id: str, api_key_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id == api_key_id)

    def end_api_keys(self, user_id: str) -> None:
        self._end(user_id, lambda caller: caller.api_key_id is not None)

    def close_all(self) -> None:
        """Tell every socket that the server goes away."""
        for subscriptions in list(self._subscriptions.values()):
            for subscription in tuple(subscriptions):
                subscription.socket.close(Close.GOING_AWAY, "shutting down")

    def _drop(self, subscription: Subscription) -> None:
        self.remove(subscription)
        with contextlib.suppress(Exception):  # logged is what made it fail
            subscription.socket.close(Close.INTERNAL_ERROR, "internal_error")

    def _end(self, user_id: str, is_meant: Callable[[Caller], bool]) -> None:
        for subscription in tuple(self._subscriptions.get(user_id, ())):
            if is_meant(subscription.socket.caller):
                self.remove(subscription)
                subscription.socket.close(Close.SESSION_ENDED, "invalid_token")
