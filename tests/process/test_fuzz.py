"""Fuzz the running server with Schemathesis, from its own OpenAPI document.

No response may be a 5xx, violate its schema, or have an undocumented status.
`EXAMPLES=200 pytest tests/process/test_fuzz.py` runs longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program

EXAMPLES = os.environ.get("EXAMPLES", "5")  # for each operation and phase

# An array that is too long makes a body that is too large, which is refused as well: 413.
_CONFIG = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]
"""


def fuzz(program: Program, folder: Path, *options: str, is_limited: bool = False) -> None:
    """Run all checks of Schemathesis; the same choices each time, so that it can't be flaky."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{program.url}/api/v1/openapi.json",
        f"--url={program.url}",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        "--generation-deterministic",
        # Some rules no schema can say, so that valid bodies may be refused: 1.0 is no whole number,
        # passwords are neither common nor the own address, and addresses have no invisible character.
        "--exclude-checks=positive_data_acceptance",
        # That no text may hold these stands in the document's description: no schema can say it.
        "--generation-allow-x00=false",
        "--generation-codec=utf-8",
        "--continue-on-failure",
        "--no-color",
        *options,
    ]
    (folder / "schemathesis.toml").write_text(_CONFIG)
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    assert " generated, " in report
    assert is_limited or "429 responses" not in report, "it was refused, and has seen nothing"


# What has another base; what is no request; and what is looked at on its own.
OTHERS = "health|metrics|openai/|api/v1/ws"


@pytest.fixture
def program(start: Any) -> Program:
    started: Program = start()
    return started


def signed_in(program: Program) -> str:
    """The admin's token, on a server that limits nobody."""
    token = program.register()
    program.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
    return token


# These have fewer requests, because most of them are refused.
PASSWORDS = "api/v1/auth/register$|api/v1/users/me$"


def test_with_a_session(program: Program, tmp_path: Path) -> None:
    header = f"--header=Authorization: Bearer {signed_in(program)}"
    others = f"{OTHERS}|api/v1/auth/logout|api/v1/settings/admin|{PASSWORDS}"
    fuzz(program, tmp_path, header, f"--exclude-path-regex=^/({others})")
    fuzz(program, tmp_path, header, f"--include-path-regex=^/({PASSWORDS})", is_limited=True)
    fuzz(program, tmp_path, header, "--include-path=/api/v1/settings/admin", is_limited=True)


def test_with_a_key(program: Program, tmp_path: Path) -> None:
    key = program.call("POST", "/api/v1/users/api-key", {}, signed_in(program))["api_key"]
    others = f"--exclude-path-regex=^/({OTHERS}|api/v1/auth)"
    fuzz(program, tmp_path, f"--header=Authorization: Bearer {key}", others)


def test_without_saying_who(program: Program, tmp_path: Path) -> None:
    signed_in(program)
    fuzz(program, tmp_path, f"--exclude-path-regex=^/({OTHERS}|api/v1/auth/(login|register))")
    fuzz(program, tmp_path, "--include-path-regex=^/api/v1/auth/(login|refresh)")
