"""Simulated failures for front-end development (contract, sections 10 and 11).

`X-Quillium-Simulate: latency=800,status=503`, `simulate=` in a WebSocket's URL, or a fault rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from core import errors
from web.errors import ERRORS_BY_STATUS, STATUS

_NUMBER = re.compile(r"[0-9]{1,6}\Z")
_HEADER = "X-Quillium-Simulate"
_KNOWN = "latency=MS, status=STATUS, code=CODE, token_expired, rate_limited, drop, drop_after=N"
_DETAILS = "This error was simulated."


class Simulation(NamedTuple):
    """The simulated behaviour of one request."""

    seconds: float = 0.0  # before the request is handled
    error: errors.QuilliumError | None = None
    drop: bool = False  # close the connection without a response
    drop_after: int | None = None  # frames of a WebSocket, or events of a stream
    close_code: int | None = None  # with which a WebSocket is closed
    frame_error: errors.QuilliumError | None = None  # sent over a WebSocket
    repeat: bool = False  # send each frame of a WebSocket twice
    is_half_open: bool = False  # neither send nor handle frames of a WebSocket


_BY_CODE = {
    **{error.code: error for error in STATUS},
    errors.ResyncRequired.code: errors.ResyncRequired,
}


def of_rule(respond: Mapping[str, Any]) -> Simulation:
    """Return what a fault rule of a test backend asks for (`schemas/dev_rules.json`)."""
    kind = None
    if "code" in respond:
        kind = _BY_CODE[respond["code"]]
    elif "status" in respond:
        kind = ERRORS_BY_STATUS[respond["status"]]
    frame_kind = _BY_CODE[respond["send_error"]] if "send_error" in respond else None
    error = None if kind is None else errors.of(kind, _DETAILS)
    if isinstance(error, errors.RateLimited):
        error.retry_after = respond.get("retry_after", error.retry_after)
    return Simulation(
        seconds=respond.get("latency_ms", 0) / 1000,
        error=error,
        drop=respond.get("drop", False),
        drop_after=respond.get("cut_after_events"),
        close_code=respond.get("close_code"),
        frame_error=None if frame_kind is None else errors.of(frame_kind, _DETAILS),
        repeat=respond.get("repeat", False),
        is_half_open=respond.get("is_half_open", False),
    )


def simulated(text: str, *, is_socket: bool = False) -> Simulation:
    """Parse a comma-separated list. Raises `InvalidRequest` that names the supported values."""
    simulation = Simulation()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        error = _error(part)
        if error is not None:
            if simulation.error is not None or simulation.drop:
                raise errors.InvalidRequest(f"{_HEADER}: {part} comes after another failure.")
            simulation = simulation._replace(error=error)
        elif name == "latency" and _NUMBER.match(value):
            simulation = simulation._replace(seconds=int(value) / 1000)
        elif name == "drop_after" and _NUMBER.match(value):
            if not is_socket:
                raise errors.InvalidRequest(f"{_HEADER}: drop_after is for WebSockets.")
            simulation = simulation._replace(drop_after=int(value))
        elif part == "drop":
            if simulation.error is not None:
                raise errors.InvalidRequest(f"{_HEADER}: drop comes after another failure.")
            simulation = simulation._replace(drop=True)
        else:
            statuses = ", ".join(map(str, sorted(ERRORS_BY_STATUS)))
            raise errors.InvalidRequest(
                f"{_HEADER}: {part[:60]} is not one of {_KNOWN}; STATUS is one of {statuses}, and"
                f" CODE one of {', '.join(error.code for error in STATUS)}."
            )
    return simulation


def _error(part: str) -> errors.QuilliumError | None:
    """Return the error that a part of the list asks for, if it does."""
    name, _, value = part.partition("=")
    kind: type[errors.QuilliumError] | None = None
    if name == "status" and _NUMBER.match(value):
        kind = ERRORS_BY_STATUS.get(int(value))
    elif name == "code" or part in ("token_expired", "rate_limited"):
        kind = _BY_CODE.get(value or part)
    return None if kind is None else errors.of(kind, _DETAILS)
