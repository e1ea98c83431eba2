"""The access log: one line per request, with the route in place of the URL."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.conftest import Client


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """The records of the access log from now on."""
    caplog.set_level(logging.DEBUG, "quillium.access")

    def read() -> list[Any]:
        return [record for record in caplog.records if record.name == "quillium.access"]

    return read


async def test_the_access_log_holds_no_token(ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        socket = await ada.socket()
        await socket.send("typing", chat_id=await ada.chat())
        await ada("GET /chats", query={"q": "private words", "token": ada.credential})
    assert "200 GET /chats " in caplog.text
    assert str(ada.credential) not in caplog.text
    assert "private" not in caplog.text


async def test_a_line_tells_who_asked_for_what(ada: Client, lines: Any) -> None:
    await ada("GET /chats/{id}", id="chat_none", headers={"X-Request-Id": "abc"})
    line = lines()[-1]
    told = line.fields
    assert told.pop("milliseconds") >= 0
    assert told == {
        "request_id": "abc",
        "address": "127.0.0.1",
        "user_id": ada.user["id"],
        "method": "GET",
        "route": "/chats/{id}",
        "status": 404,
    }
    assert line.getMessage().startswith("404 GET /chats/{id} ")
    assert line.getMessage().endswith(f" ms 127.0.0.1 {ada.user['id']} abc")


async def test_what_is_asked_for_all_the_time_is_at_debug(
    ada: Client, rooms: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    await ada("GET /health")
    await ada("GET /users/me")
    monkeypatch.setattr(rooms.settings, "of_user", broken)
    await ada("GET /settings/user")
    levels = [(line.fields["route"], line.levelno) for line in lines()[-3:]]
    assert levels == [
        ("/health", logging.DEBUG),
        ("/users/me", logging.INFO),
        ("/settings/user", logging.ERROR),
    ]


async def test_nothing_is_logged_below_the_level(
    anyone: Client, lines: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "quillium.access")
    await anyone("GET /health")
    assert lines() == []


@pytest.mark.flags("--metrics")
async def test_methods_that_were_made_up_do_not_fill_the_metrics(
    ada: Client, rooms: Any, lines: Any
) -> None:
    await ada("BREW /users/me")
    text = rooms.prometheus.text().decode()
    assert 'method="other"' in text
    assert "BREW" not in text
    assert lines()[-1].fields["method"] == "BREW"
