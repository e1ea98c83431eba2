"""Strict parsing of query parameters: pagination (API reference) and contract, section 2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from core import documents
from core.errors import InvalidRequest

_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}\Z")  # 10^15 exceeds every valid number

Query = Mapping[str, Sequence[bytes]]


def text(query: Query, name: str) -> str | None:
    """Return a parameter, or None. Raises `InvalidRequest` if it is repeated."""
    values = query.get(name, [])
    if len(values) > 1:
        raise InvalidRequest(f"{name}: given more than once")
    try:
        value = values[0].decode("utf-8") if values else None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name}: not UTF-8") from None
    if value is not None and not documents.is_storable(value):
        raise InvalidRequest(f"{name}: contains U+0000")
    return value


def page_bounds(query: Query) -> tuple[int, int]:
    """Parse `limit` and `offset` of a list request."""
    return (
        _number(query, "limit", default=20, lowest=1, highest=100),
        _number(query, "offset", default=0, lowest=0, highest=None),
    )


def since(query: Query) -> int | Literal["latest"] | None:
    """Parse `since`, the frame after which a socket resumes (contract, section 7)."""
    value = text(query, "since")
    if value is None:
        return None
    if value == "latest":
        return "latest"
    if not _WHOLE_NUMBER.match(value):
        raise InvalidRequest("since: expected the seq of a frame, or latest")
    return int(value)


def _number(query: Query, name: str, default: int, lowest: int, highest: int | None) -> int:
    value = text(query, name)
    if value is None:
        return default
    number = int(value) if _WHOLE_NUMBER.match(value) else -1
    if number < lowest or (highest is not None and number > highest):
        bounds = f"from {lowest} to {highest}" if highest else f"of at least {lowest}"
        raise InvalidRequest(f"{name}: expected a whole number {bounds}")
    return number
