"""A fake socket that records frames, and drains when the test says so."""

from __future__ import annotations

import json
from typing import Any

from core.records import Caller, User
from services.connections import ConnectionRegistry
from services.subscriptions import Sources, Subscription

ADA = User(1, "user_1", "ada@example.com", "Ada", True, "now", "now")


class FakeSocket:
    """See `services.subscriptions.Socket`. `failures` is how many sends fail first."""

    def __init__(self, user: User = ADA, failures: int = 0, **credential: str) -> None:
        self.caller = Caller(user, **credential)
        self.is_busy = False
        self.frames: list[dict[str, Any]] = []
        self.encoded: list[bytes] = []
        self.closed_with: int | None = None
        self._failures = failures

    def send(self, encoded: bytes) -> None:
        if self._failures:
            self._failures -= 1
            raise ValueError("planted")
        self.encoded.append(encoded)
        self.frames.append(json.loads(encoded))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self.closed_with = code

    @property
    def text(self) -> str:
        """The joined deltas; each one has to begin where the one before ended."""
        text = ""
        for frame in self.frames:
            if frame["type"] == "typing":
                assert frame["data"]["offset"] == len(text)
                text += frame["data"]["delta"]
        return text


def subscribed(connections: ConnectionRegistry, socket: FakeSocket) -> FakeSocket:
    sources = Sources(missed=lambda after: [], streamed_replies=list)
    connections.add(Subscription(socket, sources, None, receives_chats=True))
    return socket
