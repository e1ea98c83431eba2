"""Parsing Server-Sent Events (HTML Living Standard, section 9.2.6)."""

from __future__ import annotations

import pytest

from assistant.event_stream import EventStream


@pytest.mark.parametrize(
    ("sent", "events"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data: one\ndata: two\n\n", ["one\ntwo"]),
        (b"data:one\n\n", ["one"]),
        (b"data:  one\n\n", [" one"]),  # only the first space is not meant
        (b"data\n\n", [""]),
        (b": a comment\n\n", []),
        (b"event: x\nid: 1\n\n", []),
        (b"data: one\r\rdata: two\r\n\r\n", ["one", "two"]),
        (b"data: never ended\n", []),
        (b"\xef\xbb\xbfdata: one\n\n", ["one"]),
        ("data: \u2028 is no line end\n\n".encode(), ["\u2028 is no line end"]),
        (b"data: \xff\n\n", ["\ufffd"]),
    ],
)
def test_events(sent: bytes, events: list[str]) -> None:
    for size in (1, 2, 3, len(sent)):
        stream = EventStream()
        found: list[str] = []
        for start in range(0, len(sent), size):
            found += [event.data for event in stream.feed(sent[start : start + size])]
        assert found == events


def test_names_and_what_the_end_cuts_short() -> None:
    stream = EventStream()
    assert list(stream.feed(b"event: error\ndata: oops\n\ndata: a\n\n")) == [
        ("error", "oops"),
        ("", "a"),
    ]
    assert list(stream.feed(b"event: x\n\ndata: b")) == []
    assert list(stream.close()) == [("", "b")]
    assert list(EventStream().close()) == []
