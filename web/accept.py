"""Content negotiation with `Accept` and `Accept-Encoding` (RFC 9110, section 12.5)."""

from __future__ import annotations

import re

_QUALITY = re.compile(r"(?:0(?:\.[0-9]*)?|1(?:\.0*)?)\Z")


def prefers_event_stream(accept: str) -> bool:
    """Return whether a client prefers `text/event-stream` to JSON.

    The header must name the event stream with a quality value not below JSON's; `*/*` means JSON.
    """
    qualities = _qualities(accept)
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


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a client accepts a gzip body, and does not prefer an uncompressed one."""
    if not accept_encoding:
        return False  # the usual case of programs
    qualities = _qualities(accept_encoding)
    others = qualities.get("*", 0.0)
    gzip = max(qualities.get(name, 0.0) for name in ("gzip", "x-gzip"))
    if "gzip" not in qualities and "x-gzip" not in qualities:
        gzip = others
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def _qualities(header: str) -> dict[str, float]:
    """Return the quality value of each entry of a header."""
    return dict(_quality(part) for part in header.lower().split(","))


def _quality(part: str) -> tuple[str, float]:
    """Return an entry and its quality value, 1 if there is none and 0 if it is invalid."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return kind, float(value) if _QUALITY.match(value.strip()) else 0.0
    return kind, 1.0
