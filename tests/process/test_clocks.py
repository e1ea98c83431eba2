"""Wrong clocks, set by libfaketime on a real process (issue 19, numbers 13 and 14)."""

from __future__ import annotations

import json
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
DAY = 24 * 3600

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")


class Server:
    """A server of which one clock or both are ahead of the system's."""

    def __init__(self, start: Any, tmp_path: Path, *, is_monotonic: bool) -> None:
        self._file = tmp_path / "faketime"
        self.set(0)
        self._start = start
        self._environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if is_monotonic else "1",
        }
        self.launch()

    def launch(self) -> None:
        self.program: Program = self._start(**self._environment)
        assert self.program.url, self.program.first_line

    def set(self, seconds: int) -> None:
        """Set the clock ahead of the system's; negative is behind."""
        self._file.write_text(f"{seconds:+d}")

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The body of the response, or `STATUS code` of an error."""
        try:
            return self.program.call(method, f"/api/v1{path}", body, token)
        except urllib.error.HTTPError as error:
            return f"{error.code} {json.load(error)['error']['code']}"

    def register(self, email: str) -> Any:
        body = {"email": email, "password": "a good password"}
        return self.call("POST", "/auth/register", body)

    def login(self, email: str, password: str = "a good password") -> Any:
        return self.call("POST", "/auth/login", {"email": email, "password": password})

    def refresh(self, tokens: Any) -> Any:
        body = {"refresh_token": tokens["refresh_token"]}
        return self.call("POST", "/auth/refresh", body)

    def me(self, tokens: Any) -> Any:
        return self.call("GET", "/users/me", token=tokens["access_token"])


@pytest.fixture
def wrong(start: Any, tmp_path: Path) -> Server:
    """A server whose calendar clock can be set; its durations are measured truly."""
    return Server(start, tmp_path, is_monotonic=False)


@pytest.fixture
def later(start: Any, tmp_path: Path) -> Server:
    """A server for which time can pass at once."""
    return Server(start, tmp_path, is_monotonic=True)


def test_a_clock_a_day_ahead_and_back_locks_nobody(wrong: Server) -> None:
    wrong.register("ada@example.com")
    wrong.set(DAY)
    for _ in range(10):
        assert wrong.login("ada@example.com", "a wrong password") == "401 invalid_credentials"
    assert wrong.login("ada@example.com") == "429 rate_limited"
    wrong.set(0)
    assert wrong.login("ada@example.com") == "429 rate_limited"
    wrong.set(2 * DAY)
    assert wrong.login("ada@example.com") == "429 rate_limited"  # nor does it unlock


def test_a_clock_400_days_ahead_and_back_deletes_nothing(wrong: Server) -> None:
    ada, bob = wrong.register("ada@example.com"), wrong.register("bob@example.com")
    wrong.set(400 * DAY)
    assert wrong.me(ada) == "401 token_expired"
    assert wrong.refresh(bob) == "401 token_expired"
    carol = wrong.register("carol@example.com")
    assert wrong.refresh(carol)["expires_in"] == 900
    wrong.program.stop()
    wrong.launch()  # a start with the wrong clock
    assert wrong.program.call("GET", "/health")["status"] == "ok"
    wrong.set(0)
    assert wrong.me(ada)["email"] == "ada@example.com"
    assert wrong.refresh(bob)["expires_in"] == 900


@pytest.mark.parametrize("offset", [-30 * DAY, 400 * DAY])
def test_uptime_and_rate_limits_are_measured_truly(wrong: Server, offset: int) -> None:
    wrong.set(offset)
    health = wrong.program.call("GET", "/health")
    assert 0 <= health["uptime"] < 600


def test_a_lost_response_and_a_crash_end_no_session(later: Server) -> None:
    ada = later.register("ada@example.com")
    later.refresh(ada)  # the response is lost
    later.set(11)
    second = later.refresh(ada)  # and this one, since the server is killed
    later.program.process.kill()
    later.program.process.communicate()
    later.launch()
    third = later.refresh(ada)
    assert third["expires_in"] == 900
    assert later.me(second) == "401 invalid_token"
    assert later.me(third)["email"] == "ada@example.com"


def test_a_laptop_that_slept_after_it_sent_the_refresh(later: Server) -> None:
    ada = later.register("ada@example.com")
    later.refresh(ada)
    later.set(8 * 3600)
    again = later.refresh(ada)
    assert later.me(again)["email"] == "ada@example.com"


def test_a_stolen_token_is_noticed_over_a_restart_as_well(later: Server) -> None:
    ada = later.register("ada@example.com")
    own = later.refresh(ada)
    assert later.me(own)["email"] == "ada@example.com"
    later.program.stop()
    later.launch()
    assert later.refresh(ada)["expires_in"] == 900  # 10 s from its start
    later.set(11)
    assert later.refresh(ada) == "401 invalid_token"
    assert later.me(own) == "401 invalid_token"
    assert later.refresh(own) == "401 invalid_token"
