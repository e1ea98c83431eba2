"""The one form of time that leaves the server: RFC 3339, UTC, milliseconds, `Z`."""

from __future__ import annotations

import functools
from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Epoch seconds as JavaScript's `toISOString()` writes them (contract, section 1)."""
    whole, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{microseconds // 1000:03d}Z"


@functools.lru_cache(maxsize=16)
def _second(whole: int) -> str:
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"
