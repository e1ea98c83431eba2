"""Choosing the response format and its encoding by what the client accepts."""

from __future__ import annotations

import pytest

from web.accept import accepts_gzip, prefers_event_stream


@pytest.mark.parametrize(
    ("accept", "is_preferred"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream;q=0.5, application/json;q=0.4, */*", True),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream; q=0.5, application/json", False),
        ("text/event-stream;q=0.5, */*", False),
        ("text/event-stream;q=x", False),
        ("text/event-stream;q=inf", False),
        ("text/event-stream;q=2", False),
        ("text/event-stream; Q=1.000", True),
        ("x-text/event-stream", False),
        (",;q=,,", False),
    ],
)
def test_the_event_stream_is_preferred(accept: str, is_preferred: bool) -> None:
    assert prefers_event_stream(accept) is is_preferred


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0.01", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("*", True),
        ("br;q=1.0, *;q=0.1", True),
        ("identity;q=0.5, gzip;q=1.0", True),
        ("identity;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip ; q=0.00, br", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=nan", False),
        ("x-gzipped", False),
        ("identity", False),
        ("br", False),
        ("", False),
        (",;q=,", False),
    ],
)
def test_gzip_is_accepted(header: str, is_accepted: bool) -> None:
    assert accepts_gzip(header) is is_accepted
