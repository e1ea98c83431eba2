"""The security log: a stable line format that other programs parse."""

from __future__ import annotations

import logging

import pytest

from core.records import UNKNOWN_CLIENT, Client
from services import security_log


@pytest.mark.parametrize(
    ("client", "user_id", "details", "line"),
    [
        (
            Client("192.0.2.1", "Browser", "req_1"),
            "user_1",
            {"session_id": "sess_1"},
            "login address=192.0.2.1 user_id=user_1 request_id=req_1 session_id=sess_1",
        ),
        (UNKNOWN_CLIENT, None, {}, "login address=- user_id=- request_id=-"),
    ],
)
def test_a_line_names_the_client_the_account_and_the_request(
    caplog: pytest.LogCaptureFixture,
    client: Client,
    user_id: str | None,
    details: dict[str, str],
    line: str,
) -> None:
    caplog.set_level(logging.INFO, "quillium.security")
    security_log.record("login", client, user_id, **details)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.INFO, line)
    told = record.fields  # type: ignore[attr-defined]
    assert told["event"] == "login"
    assert told["user_id"] == (user_id or "-")
    assert details.items() <= told.items()
