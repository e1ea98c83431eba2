"""The controls of a test backend: its clock, journal, faults, scripts and seeds (section 11)."""

from __future__ import annotations

import json
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from assistant.scripted import Scripts
from core.errors import InvalidRequest
from core.times import (
    CalendarClock,
    CalendarTime,
    MonotonicClock,
    MonotonicTime,
    normalized,
    rfc3339,
)
from services.fault_rules import FaultRules
from services.seeding import Seeding

DETERMINISTIC_START = "2024-01-01T00:00:00.000Z"
MAX_ENTRIES = 1000
MAX_BYTES = 16 << 20  # of memory for the journal's entries
MAX_BODY = 64 << 10  # bytes of a body in the journal
# What every token and date can hold, with room for what expires later.
_BEFORE = "0001-01-01T00:00:00.000Z"
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9000, 1, 1, tzinfo=UTC)
_SECRETS = {"password", "current_password", "api_key", "headers"}


class DevClock:
    """Clocks that a test moves. Moving them ahead lets everything expire that is due by then."""

    def __init__(self, calendar: CalendarClock, monotonic: MonotonicClock) -> None:
        self._calendar = calendar
        self._monotonic = monotonic
        self._ahead = 0.0  # seconds, of both clocks
        self._offset = 0.0  # seconds, of the calendar alone
        self._frozen_at: float | None = None  # calendar time

    def calendar(self) -> CalendarTime:
        if self._frozen_at is not None:
            return CalendarTime(self._frozen_at)
        return CalendarTime(self._calendar() + self._ahead + self._offset)

    def monotonic(self) -> MonotonicTime:
        return MonotonicTime(self._monotonic() + self._ahead)

    def set(
        self,
        now: str | None = None,
        is_frozen: bool | None = None,
        advance_seconds: float = 0.0,
    ) -> None:
        """Set the calendar, then let time pass, then stop the calendar or let it run.

        Raises `InvalidRequest`, and changes nothing, if that leaves the years 1970 to 8999.
        """
        begin: float = self.calendar()
        if now is not None:
            # Python's years begin at 1, and `normalized` has the year 0.
            begin = datetime.fromisoformat(max(normalized(now), _BEFORE)).timestamp()
        if not _FIRST.timestamp() <= begin <= begin + advance_seconds < _LAST.timestamp():
            raise InvalidRequest("The clock can be set to a time in the years 1970 to 8999.")
        if now is not None:
            self._move_to(begin)
        self._ahead += advance_seconds
        if self._frozen_at is not None:
            self._frozen_at += advance_seconds
        if is_frozen is True and self._frozen_at is None:
            self._frozen_at = self.calendar()
        elif is_frozen is False and self._frozen_at is not None:
            then, self._frozen_at = self._frozen_at, None
            self._move_to(then)

    def public(self) -> dict[str, Any]:
        return {"now": rfc3339(self.calendar()), "is_frozen": self._frozen_at is not None}

    def _move_to(self, seconds: float) -> None:
        if self._frozen_at is not None:
            self._frozen_at = seconds
        else:
            self._offset += seconds - self.calendar()


class Journal:
    """The last requests, and frames of sockets: at most 1,000 of them, and 16 MiB."""

    def __init__(self, clock: CalendarClock) -> None:
        self._clock = clock
        self._entries: deque[dict[str, Any]] = deque()
        self._bytes = 0

    def add(self, body: bytes | str | None, **fields: Any) -> None:
        """Add an entry; `body` is JSON, of which more than 64 KiB are not kept."""
        kept = None if body is None or len(body) > MAX_BODY else body
        entry = {"at": rfc3339(self._clock()), **fields, "body": kept}
        self._entries.append(entry)
        self._bytes += _size(entry)
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            self._bytes -= _size(self._entries.popleft())

    def public(self) -> list[dict[str, Any]]:
        """Return the entries, oldest first, without passwords and keys."""
        return [{**entry, "body": _shown(entry["body"])} for entry in self._entries]

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = 0


def _size(entry: dict[str, Any]) -> int:
    """Return the bytes of memory that an entry takes."""
    return sys.getsizeof(entry) + sum(map(sys.getsizeof, entry.values()))


def _shown(body: bytes | str | None) -> Any:
    if not body:
        return None
    try:
        return _without_secrets(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _without_secrets(value: Any, name: str = "") -> Any:
    """Return a JSON value in which all strings below a secret `name` are hidden."""
    if isinstance(value, str):
        return "…" if name in _SECRETS else value
    if isinstance(value, list):
        return [_without_secrets(item, name) for item in value]
    if isinstance(value, dict):
        return {
            key: _without_secrets(item, name if name in _SECRETS else key)
            for key, item in value.items()
        }
    return value


@dataclass(frozen=True)
class Dev:
    """The controls of a test backend."""

    clock: DevClock
    journal: Journal
    rules: FaultRules
    scripts: Scripts
    seeding: Seeding
