"""Calendar and monotonic time, and the RFC 3339 form that clients receive.

Calendar time is for display and for token claims; it jumps when the system clock is set.
Monotonic time measures durations: limits, lockouts, grace periods, retries, uptime. They are two
types, so mypy reports an error when one is used for the other.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NewType

CalendarTime = NewType("CalendarTime", float)
"""Seconds since 1970-01-01T00:00:00Z."""

MonotonicTime = NewType("MonotonicTime", float)
"""Seconds since an arbitrary start point; comparable only within one process."""

CalendarClock = Callable[[], CalendarTime]
MonotonicClock = Callable[[], MonotonicTime]

_RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))\Z"
)


def calendar_now() -> CalendarTime:
    """Return the time of the system's calendar clock."""
    return CalendarTime(time.time())


def monotonic_now() -> MonotonicTime:
    """Return the time of the system's monotonic clock, which can't be set."""
    return MonotonicTime(time.monotonic())


def rfc3339(seconds: CalendarTime) -> str:
    """Format a time as JavaScript's `toISOString()` does (contract, section 1)."""
    whole, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{microseconds // 1000:03d}Z"


def normalized(text: str) -> str:
    """Return any valid RFC 3339 time in the server's own form: UTC, milliseconds, `Z`.

    Digits beyond milliseconds are truncated. A leap second becomes the last millisecond before it.
    A time outside the years 0 to 9999 in UTC is clamped to that range. Raises `ValueError` for
    a time that does not exist.
    """
    match = _RFC_3339.match(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    # Python supports the years 1 to 9999 only; the calendar repeats every 400 years.
    shift = 400 if year < 5000 else -400
    is_leap = second == 60
    utc = datetime(year + shift, month, day, hour, minute, 59 if is_leap else second)
    utc -= _offset(sign, offset_hours, offset_minutes)
    if is_leap:
        _check_leap_second(utc)
    year = utc.year - shift
    if year < 0:
        return "0000-01-01T00:00:00.000Z"
    if year > 9999:
        return "9999-12-31T23:59:59.999Z"
    milliseconds = "999" if is_leap else ((fraction or "") + "000")[:3]
    return f"{year:04d}-{utc:%m-%dT%H:%M:%S}.{milliseconds}Z"


def is_valid(text: str) -> bool:
    """Return whether `normalized` accepts the text."""
    try:
        normalized(text)
    except ValueError:
        return False
    return True


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    if sign is None or hours is None or minutes is None:
        return timedelta(0)
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("an impossible offset")
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if sign == "-" else size


def _check_leap_second(utc: datetime) -> None:
    """Check a leap second: it ends a month in UTC, at 23:59:60 (RFC 3339, section 5.7)."""
    is_last_minute = (utc.hour, utc.minute) == (23, 59)
    if not is_last_minute or (utc + timedelta(days=1)).day != 1:
        raise ValueError("no leap second can be there")


@functools.lru_cache(maxsize=16)
def _second(whole: int) -> str:
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"
