"""`--dev --seed` as a process: one server for each worker of a test run."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.program import read_line, run

SEED = {"users": [{"email": "ada@example.com", "access_token": "token-of-ada"}]}


def test_a_seed_needs_no_data_folder(launch: Any, tmp_path: Path) -> None:
    files = []
    for name in ("ada", "bob"):
        files.append(tmp_path / f"{name}.json")
        users = [{"email": f"{name}@example.com", "access_token": f"token-of-{name}"}]
        files[-1].write_text(json.dumps({"users": users}))
    flags = [f"--seed={file}" for file in files]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = launch("--dev", "--sidecar", *flags, env=environment)
    ready = json.loads(read_line(process, process.stdout))
    assert [path.name for path in temporary.iterdir()] != []
    process.stdin.close()
    assert process.wait(20) == 0
    assert list(temporary.iterdir()) == []
    assert ready["event"] == "ready"


def test_a_reset_over_http(start: Any, tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    program = start("--dev", f"--seed={seed}")
    program.call("POST", "/api/v1/chats", {"title": "x"}, token="token-of-ada")
    program.call("POST", "/api/v1/dev/reset")
    listed = program.call("GET", "/api/v1/chats", token="token-of-ada")
    assert listed["data"] == []
    status, errors = program.stop(signal.SIGTERM)
    assert status == 0, errors


@pytest.mark.parametrize("mode", [["--sidecar"], ["--port=0"]])
@pytest.mark.parametrize("flag", ["--seed", "--replay"])
def test_a_wrong_file_ends_the_server(
    launch: Any, tmp_path: Path, mode: list[str], flag: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"users": [{}]}')
    process = launch("--dev", *mode, flag, str(file))
    assert process.wait(20) == 2
    assert process.stdout.read() == ""
    reason = ": users.0.email: is required" if flag == "--seed" else " is not a recording."
    assert process.stderr.read() == f"quillium: {flag} {file}{reason}\n"


def test_what_can_not_be_combined(tmp_path: Path) -> None:
    for flags, reason in (
        ([f"--seed={tmp_path}"], "--seed needs --dev"),
        (["--dev", "--demo", f"--seed={tmp_path}"], "--seed and --demo can't be combined"),
        (["--dev", "--seed="], "--seed: expected a value, not an empty one"),
    ):
        done = run(*flags)
        assert (done.returncode, done.stderr.strip()) == (2, f"quillium: {reason}")
