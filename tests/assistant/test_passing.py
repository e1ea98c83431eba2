"""Forwarding a server's response unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from assistant.passing import envelope, error_of, passed_headers, whole_events

KEY = "sk-abcdefghij0123456789"


def test_headers_that_callers_read_and_no_others() -> None:
    passed = [
        "Retry-After", "retry-after-ms", "x-should-retry", "openai-model", "OpenAI-Processing-Ms",
        "openai-version", "x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-requests",
    ]  # fmt: skip
    kept = ["Set-Cookie", "openai-organization", "Content-Length", "x-retry-after", "x-ratelimit-"]
    headers = [(name, "v") for name in passed + kept]
    assert passed_headers(headers) == headers[: len(passed)]


async def events(chunks: Iterable[bytes]) -> list[bytes]:
    async def come() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [part async for part in whole_events(come())]


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
async def test_a_stream_is_cut_only_between_two_events(end: bytes) -> None:
    first, second = b"data: 1" + end, b"data: 2" + end
    stream = first + second
    assert await events([stream]) == [stream]
    assert await events(bytes([byte]) for byte in stream) == [first, second]
    for at in range(1, len(stream)):
        parts = await events([stream[:at], stream[at:]])
        assert b"".join(parts) == stream
        assert all(part.endswith(end) for part in parts)


async def test_what_is_left_at_the_end_is_passed_on() -> None:
    assert await events([b"data: 1\n\ndata", b": 2"]) == [b"data: 1\n\n", b"data: 2"]
    assert await events([]) == []


def test_an_error_in_openais_form_is_kept_without_secrets() -> None:
    sent = {"error": {"message": f"bad {KEY}", "code": "c", "more": 1}, "request_id": "r"}
    error = {"type": "authentication_error", "param": None, "code": "c", "more": 1}
    found = error_of(401, sent, [KEY])
    assert KEY not in str(found)
    assert found["request_id"] == "r"
    assert {k: v for k, v in found["error"].items() if k != "message"} == error
    assert error_of(401, {"error": {"message": "m", "type": "t"}}, [])["error"]["type"] == "t"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"detail": f"no {KEY}"}, "no"),
        ({"error": "x"}, "x"),
        ({"error": {"message": {"error": "deep"}}}, "deep"),
        ("words", "words"),
        (None, "The model's server gave no reason."),
    ],
)
def test_an_error_in_another_form_becomes_one(sent: Any, message: str) -> None:
    found = error_of(500, sent, [KEY])
    assert KEY not in str(found)
    assert found["error"].pop("message").startswith(message)
    assert found == {"error": {"type": "server_error", "param": None, "code": None}}


@pytest.mark.parametrize(
    ("status", "type"),
    [(401, "authentication_error"), (403, "permission_error"), (429, "rate_limit_error"),
     (400, "invalid_request_error"), (499, "invalid_request_error"), (500, "server_error"),
     (503, "server_error")],
)  # fmt: skip
def test_the_kind_of_an_error(status: int, type: str) -> None:
    assert envelope(status, "m", "c")["error"]["type"] == type
