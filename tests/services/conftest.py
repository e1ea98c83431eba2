from __future__ import annotations

from typing import Any

import pytest
from tornado.ioloop import IOLoop

from core.records import User

PASSWORD = "a good password"


@pytest.fixture
def user(io_loop: IOLoop, rooms: Any) -> User:
    """The first account, which is the admin's; nothing goes over HTTP."""
    added: User = io_loop.run_sync(lambda: rooms.administration.add("ada@example.com", PASSWORD))
    return added


@pytest.fixture
def other(io_loop: IOLoop, rooms: Any, user: User) -> User:
    """The second account."""
    added: User = io_loop.run_sync(lambda: rooms.administration.add("bob@example.com", PASSWORD))
    return added


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Any:
    """What the security log says: the names of the events."""
    caplog.set_level("INFO", "quillium.security")

    def read() -> list[str]:
        records = [r for r in caplog.records if r.name == "quillium.security"]
        return [record.fields["event"] for record in records]  # type: ignore[attr-defined]

    return read
