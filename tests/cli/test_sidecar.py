"""Requests from a sidecar's parent on stdin (tests/process has real parents)."""

from __future__ import annotations

import pytest

from cli.sidecar import _request_of


@pytest.mark.parametrize(
    ("line", "request_name"),
    [
        (b'{"request": "tokens"}', "tokens"),
        (b' {"request": "page_url", "more": 1}\r', "page_url"),
        (b"", None),
        (b"hello", None),
        (b"[]", None),
        (b'"request"', None),
        (b"{}", None),
        (b'{"request": 1}', None),
        (b'{"request": null}', None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
    ],
)
def test_requests_and_what_is_none(line: bytes, request_name: str | None) -> None:
    assert _request_of(line) == request_name
