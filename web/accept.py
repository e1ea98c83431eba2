"""Content negotiation with the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations


def prefers_event_stream(accept: str) -> bool:
    """Return whether a client prefers `text/event-stream` to JSON.

    The header must name the event stream with a quality value not below JSON's; `*/*` means JSON.
    """
    qualities = dict(_quality(part) for part in accept.lower().split(","))
    stream = qualities.get("text/event-stream", 0.0)
    json = next(
        (
            qualities[kind]
            for kind in ("application/json", "application/*", "*/*")
            if kind in qualities
        ),
        0.0,
    )
    return stream > 0 and stream >= json


def _quality(part: str) -> tuple[str, float]:
    """Return a media type and its quality value, 1 if there is none and 0 if it is invalid."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, float(value)
            except ValueError:
                return kind, 0.0
    return kind, 1.0
