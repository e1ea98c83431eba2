"""Choosing the response format by `Accept`."""

from __future__ import annotations

import pytest

from web.accept import prefers_event_stream


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
        ("x-text/event-stream", False),
        (",;q=,,", False),
    ],
)
def test_the_event_stream_is_preferred(accept: str, is_preferred: bool) -> None:
    assert prefers_event_stream(accept) is is_preferred
