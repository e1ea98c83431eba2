"""The security log of a real process, and its fail2ban filter (issue 25, number 5)."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

FILTER = ROOT / "packaging" / "fail2ban" / "quillium.conf"
HOST = r"(?P<host>\S+)"  # as fail2ban replaces <HOST>, but for its IPv6 brackets


def failed_login(start: Any, log_format: str) -> list[str]:
    """All lines that a server logs around a failed login and some others."""
    program = start(f"--log-format={log_format}")
    assert program.url, program.first_line
    token = program.register()
    for email in ("ada@example.com", "login_failed address=1.2.3.4 user_id=- request_id=-"):
        body = {"email": email, "password": "login_failed address=1.2.3.4"}
        with pytest.raises(urllib.error.HTTPError):
            program.call("POST", "/api/v1/auth/login", body)
    program.call("GET", "/api/v1/auth/sessions", token=token)
    program.process.terminate()
    _, errors = program.process.communicate(timeout=15)
    return [line for line in errors.splitlines() if line]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_filter_finds_failed_logins_alone(start: Any, log_format: str) -> None:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read(FILTER)
    patterns = parsed["Definition"]["failregex"].split("\n")
    lines = failed_login(start, log_format)
    found = [
        match["host"]
        for line in lines
        for pattern in patterns
        if (match := re.search(pattern.replace("<HOST>", HOST), line))
    ]
    assert found == ["127.0.0.1", "127.0.0.1"]
    assert len(lines) > 2
    if log_format == "json":
        events = [json.loads(line).get("event") for line in lines]
        assert events.count("login_failed") == 2
        assert "registered" in events


@pytest.mark.skipif(not shutil.which("fail2ban-regex"), reason="fail2ban is not installed")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_fail2ban_itself_agrees(start: Any, log_format: str, tmp_path: Path) -> None:
    log = tmp_path / "quillium.log"
    log.write_text("\n".join(failed_login(start, log_format)) + "\n")
    told = subprocess.run(
        ["fail2ban-regex", str(log), str(FILTER)], capture_output=True, text=True, timeout=60
    )
    assert re.search(r"^Failregex: 2 total", told.stdout, re.MULTILINE), told.stdout
    (dated,) = re.findall(r"^\|  \[(\d+)\] ", told.stdout, re.MULTILINE)[-1:]
    assert int(dated) == len(log.read_text().splitlines())  # each time is read
