"""Server-Sent Events (HTML Living Standard, section 9.2.5)."""

from __future__ import annotations


def event(name: str, data: bytes) -> bytes:
    """Encode an event. `data` is JSON, which has no line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)
