"""The desktop bundle: built for real, started, and orphaned (contract, section 10)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, read_line

pytestmark = pytest.mark.timeout(600)  # PyInstaller needs a minute on a busy machine

# What a desktop program does: it starts the sidecar with a pipe and passes on what that says.
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(child.stdout.readline(), end="", flush=True)
child.wait()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built by the documented command."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, str(ROOT / "packaging" / "build.py"), f"--to={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert " is built: " in done.stdout
    return folder / "quillium" / "quillium"


@pytest.fixture
def desktop(built: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts a parent that starts the sidecar; what the sidecar said when it was ready."""
    parents: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], dict[str, Any]]:
        flags = ["--sidecar", "--no-discovery", f"--data-dir={tmp_path / 'data'}"]
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(built), *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # No Python of ours is of any use to it.
            env={"HOME": str(tmp_path), "PATH": "/nowhere"},
        )
        parents.append(parent)
        return parent, json.loads(read_line(parent, parent.stdout))

    yield start
    for parent in parents:
        parent.kill()
        parent.communicate()


def call(ready: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{ready['url']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {ready['access_token']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def has_ended(pid: int) -> bool:
    """Whether a process that is not our child is gone, or is only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_for_the_end_of(pid: int) -> None:
    until = time.monotonic() + 20
    while not has_ended(pid):
        assert time.monotonic() < until, "it outlives its parent"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for the process in /proc")
def test_a_desktop_program_that_dies(desktop: Any) -> None:
    parent, ready = desktop()
    assert ready["pid"] != parent.pid
    chat = json.loads(call(ready, "POST", "/api/v1/chats", {"title": "Kept"}))["id"]
    path = f"/api/v1/chats/{chat}/messages"
    call(ready, "POST", path, {"content": "/slow 5"})
    assert b"<title>" in call(ready, "GET", "/")
    assert b"SwaggerUIBundle" in call(ready, "GET", "/static/docs/docs.js")
    parent.send_signal(signal.SIGKILL)  # nothing is said to the sidecar: its stdin ends
    wait_for_the_end_of(ready["pid"])

    parent, again = desktop()
    first, reply = json.loads(call(again, "GET", path))["data"]
    assert first["content"] == "/slow 5"
    assert reply["status"] == "interrupted"  # it went down in order
    os.kill(again["pid"], signal.SIGKILL)  # and in disorder
    wait_for_the_end_of(again["pid"])

    _, last = desktop()
    assert json.loads(call(last, "GET", path))["pagination"]["total"] == 2


def test_what_a_bundle_can_not_do(built: Path, tmp_path: Path) -> None:
    command = [str(built), "--dev", f"--data-dir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr == "quillium: --dev needs the source code: run it from a checkout\n"


def test_its_commands(built: Path, tmp_path: Path) -> None:
    version = subprocess.run([built, "--version"], capture_output=True, text=True, timeout=30)
    assert version.stdout.startswith("quillium ")
    folder = f"--data-dir={tmp_path / 'data'}"
    added = subprocess.run(
        [built, folder, "--bcrypt-cost=4", "user", "add", "ada@example.com", "--new-database"],
        input="a good password\n",
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert added.stdout.endswith("The account was created.\n")
    checked = subprocess.run([built, folder, "check"], capture_output=True, text=True, timeout=30)
    assert checked.stdout.startswith("The database is sound: 1 user,")


def test_it_tells_what_it_contains(built: Path) -> None:
    """tests/packaging/test_sbom.py looks closer."""
    document = json.loads((built.parent / "sbom.cdx.json").read_text())
    named = {component["name"] for component in document["components"]}
    assert {"tornado", "bcrypt", "pyjwt", "sqlite-utils", "cpython", "preact"} <= named
    assert "pytest" not in named
    assert "Permission is hereby granted" in (built.parent / "licences.txt").read_text()
