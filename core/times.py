"""The one form of time that leaves the server: RFC 3339, UTC, milliseconds, `Z`."""

from __future__ import annotations

from datetime import datetime, timezone


def rfc3339(seconds: float) -> str:
    """Epoch seconds as JavaScript's `toISOString()` writes them (contract, section 1)."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
