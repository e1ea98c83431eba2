"""What is measured while the server runs, for whoever watches it.

These do nothing: a server that nobody watches pays for the call alone. `services.metrics` has those
that count, for `--metrics`.
"""

from __future__ import annotations


class Metrics:
    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""

    def frame_sent(self) -> None:
        """A frame was given to one socket."""

    def frame_received(self, type: str) -> None:
        """A socket sent a frame of a known type."""

    def refused(self, bucket: str) -> None:
        """Somebody had nothing left: of "requests", "signals" or "logins"."""

    def time_to_first_token(self, seconds: float) -> None:
        """A reply began to speak, so long after it was asked for."""

    def reply_ended(self, status: str) -> None:
        """A reply ended: as complete, stopped, interrupted or failed."""
