"""Metric hooks that do nothing unless metrics are enabled.

A disabled measurement costs one empty call. `services.metrics` has the subclass that records them.
"""

from __future__ import annotations


class Metrics:
    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Record a completed request."""

    def frame_sent(self) -> None:
        """Record a frame that was queued for one socket."""

    def frame_received(self, type: str) -> None:
        """Record a received frame of a known type."""

    def refused(self, bucket: str) -> None:
        """Record a rate-limit rejection; `bucket` is "requests", "signals" or "logins"."""

    def time_to_first_token(self, seconds: float) -> None:
        """Record the time from a reply's request to its first token, in seconds."""

    def reply_ended(self, status: str) -> None:
        """Record a finished reply: complete, stopped, interrupted or failed."""
