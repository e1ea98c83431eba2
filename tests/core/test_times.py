"""Timestamps: one output form, every RFC 3339 input form (issue 19, number 17)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import times
from core.times import CalendarTime

VALID = {
    "2023-04-01T12:00:00Z": "2023-04-01T12:00:00.000Z",
    "2023-04-01T12:00:00.5Z": "2023-04-01T12:00:00.500Z",
    "2023-04-01T12:00:00.123456789Z": "2023-04-01T12:00:00.123Z",
    "2023-04-01T12:00:00.9999Z": "2023-04-01T12:00:00.999Z",
    "2023-04-01t12:00:00z": "2023-04-01T12:00:00.000Z",
    "2023-04-01T14:00:00+02:00": "2023-04-01T12:00:00.000Z",
    "2023-04-01T00:30:00+05:45": "2023-03-31T18:45:00.000Z",
    "2023-12-31T20:00:00-08:00": "2024-01-01T04:00:00.000Z",
    "2023-04-01T12:00:00-00:00": "2023-04-01T12:00:00.000Z",
    "2023-04-01T12:00:00+23:59": "2023-03-31T12:01:00.000Z",
    "2024-02-29T00:00:00Z": "2024-02-29T00:00:00.000Z",
    "2000-02-29T00:00:00Z": "2000-02-29T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z": "1969-12-31T23:59:59.999Z",
    # Leap seconds (RFC 3339, section 5.7 and its examples in 5.8).
    "1990-12-31T23:59:60Z": "1990-12-31T23:59:59.999Z",
    "1990-12-31T15:59:60-08:00": "1990-12-31T23:59:59.999Z",
    "2016-12-31T23:59:60.5Z": "2016-12-31T23:59:59.999Z",
    # The first and last years, which Python's own dates do not all hold.
    "0000-01-01T00:00:00Z": "0000-01-01T00:00:00.000Z",
    "0000-02-29T12:00:00Z": "0000-02-29T12:00:00.000Z",
    "0001-01-01T00:00:00+01:00": "0000-12-31T23:00:00.000Z",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-01:00": "9999-12-31T23:59:59.999Z",
    "0000-01-01T00:00:00+01:00": "0000-01-01T00:00:00.000Z",
}

INVALID = [
    "2024-13-45T99:99:99.999Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2023-04-31T00:00:00Z",
    "2023-00-01T00:00:00Z",
    "2023-01-00T00:00:00Z",
    "2023-04-01T24:00:00Z",
    "2023-04-01T12:60:00Z",
    "2023-04-01T12:00:61Z",
    "2023-04-01T12:00:60Z",
    "1990-12-30T23:59:60Z",
    "1990-12-31T22:59:60Z",
    "1990-12-31T23:59:60+01:00",
    "2023-04-01T12:00:00+24:00",
    "2023-04-01T12:00:00+01:60",
    "2023-04-01T12:00:00+0100",
    "2023-04-01T12:00:00+01",
    "2023-04-01T12:00:00",
    "2023-04-01T12:00Z",
    "2023-04-01T12:00:00.Z",
    "2023-04-01T12:00:00,5Z",
    "2023-04-01 12:00:00Z",
    "2023-04-01",
    "20230401T120000Z",
    "2023-4-1T12:00:00Z",
    "+002023-04-01T12:00:00Z",
    "-2023-04-01T12:00:00Z",
    "2023-W13-6T12:00:00Z",
    "2023-04-01T12:00:00Z\n",
    " 2023-04-01T12:00:00Z",
    "\u0662\u0660\u0662\u0663-04-01T12:00:00Z",
    "1680350400",
    "",
]


@pytest.mark.parametrize(("sent", "stored"), VALID.items())
def test_every_valid_time_is_brought_into_the_one_form(sent: str, stored: str) -> None:
    assert times.is_valid(sent)
    assert times.normalized(sent) == stored
    assert times.normalized(stored) == stored


@pytest.mark.parametrize("sent", INVALID)
def test_an_impossible_time_is_refused(sent: str) -> None:
    assert not times.is_valid(sent)
    with pytest.raises(ValueError, match=r"."):
        times.normalized(sent)


@given(st.datetimes(timezones=st.timezones()), st.sampled_from("Tt"))
def test_what_python_writes_is_read_as_the_same_moment(moment: datetime, separator: str) -> None:
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1) or moment.year in (1, 9999):
        return  # RFC 3339 has no seconds in its offsets
    written = times.normalized(moment.isoformat(separator))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    utc = moment.astimezone(UTC)
    assert written == f"{utc.year:04d}-{utc:%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


@given(st.text(st.sampled_from("0123456789-:.TtZz+ "), max_size=32))
def test_no_text_breaks_the_reading(text: str) -> None:
    times.is_valid(text)


def test_times_are_written_as_javascript_writes_them() -> None:
    def written(seconds: float) -> str:
        return times.rfc3339(CalendarTime(seconds))

    assert written(1680350400) == "2023-04-01T12:00:00.000Z"
    assert written(1680350400.9996) == "2023-04-01T12:00:00.999Z"
    assert written(1680350400.001) == "2023-04-01T12:00:00.001Z"  # a little less, as a float
    assert written(1680350400.9999999) == "2023-04-01T12:00:01.000Z"
