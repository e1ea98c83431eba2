"""Simulated failures for front-end development (contract, section 10).

`X-Quillium-Simulate: latency=800,status=503`, or `simulate=` in a WebSocket's URL.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from core import errors

_NUMBER = re.compile(r"[0-9]{1,6}\Z")
_KNOWN = "latency=MS, status=CODE, token_expired, rate_limited, drop, drop_after=N"
_DETAILS = "This error was simulated."


class Simulation(NamedTuple):
    """The simulated behaviour of one request."""

    seconds: float = 0.0  # before the request is handled
    error: errors.QuilliumError | None = None
    drop: bool = False  # close the connection without a response
    drop_after: int | None = None  # frames of a WebSocket


def simulated(text: str, statuses: dict[int, type[errors.QuilliumError]]) -> Simulation:
    """Parse a comma-separated list. Raises `InvalidRequest` that names the supported values."""
    simulation = Simulation()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name == "latency" and _NUMBER.match(value):
            simulation = simulation._replace(seconds=int(value) / 1000)
        elif name == "drop_after" and _NUMBER.match(value):
            simulation = simulation._replace(drop_after=int(value))
        elif name == "status" and _NUMBER.match(value) and int(value) in statuses:
            simulation = simulation._replace(error=errors.of(statuses[int(value)], _DETAILS))
        elif part == "token_expired":
            simulation = simulation._replace(error=errors.TokenExpired(_DETAILS))
        elif part == "rate_limited":
            simulation = simulation._replace(error=errors.of(errors.RateLimited, _DETAILS))
        elif part == "drop":
            simulation = simulation._replace(drop=True)
        else:
            codes = ", ".join(map(str, sorted(statuses)))
            raise errors.InvalidRequest(
                f"X-Quillium-Simulate: {part[:60]} is not one of {_KNOWN}; CODE is one of {codes}."
            )
    return simulation
