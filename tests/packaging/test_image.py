"""The Docker image, the compose file and the systemd unit, as far as it goes without their engines.

The image's file system is laid out by `.dockerignore`, and its entry command runs in a sandbox: a
read-only root, a user that is not root, and no capabilities.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, Program, read_line

DOCKER = ROOT / "packaging" / "docker"
UNIT = ROOT / "packaging" / "systemd" / "quillium.service"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
USER = "10001"
SANDBOX = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-user",
           "--uid", USER, "--gid", USER, "--unshare-ipc", "--die-with-parent"]  # fmt: skip


def has_sandbox() -> bool:
    command = [*SANDBOX, "true"]
    return (
        bool(shutil.which("bwrap")) and subprocess.run(command, capture_output=True).returncode == 0
    )


needs_sandbox = pytest.mark.skipif(not has_sandbox(), reason="needs bubblewrap and user namespaces")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `/app` of the image."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    left_out = [Path(line).name for line in lines if "/" in line and line[0] not in "!#"]
    ignored = shutil.ignore_patterns(*left_out)
    for line in lines:
        if line.startswith("!"):
            source = ROOT / line[1:]
            target = folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copy(source, target)
    return folder


def test_the_image_contains_what_runs_and_nothing_else(image: Path) -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {
        "static",
        "schemas",
        "docs",
    }
    rooms -= {"tests", "bench"}
    found = {path.name for path in image.iterdir()}
    assert found == {*rooms, "quillium.py", "LICENSE", "packaging"}
    assert [path.name for path in (image / "packaging").rglob("*") if path.is_file()] == [
        "server.txt"
    ]
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"  # all else stays out


def test_the_help_of_the_image_leads_to_the_documentation(image: Path) -> None:
    command = [sys.executable, str(image / "quillium.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    folder = Path(done.stdout.splitlines()[-1])
    assert folder.is_relative_to(image)
    assert (folder / "operations.md").is_file()
    assert not (folder / "images").exists()


def test_the_image_is_not_run_by_root() -> None:
    assert re.search(rf"^USER {USER}:{USER}$", DOCKERFILE, re.M)
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("ENTRYPOINT")
    assert "--require-hashes -r /locks/server.txt" in DOCKERFILE
    compose = (DOCKER / "compose.yaml").read_text()
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert line in compose


class Sandboxed(Program):
    """The entry command of the image, with `data` as its volume."""

    def __init__(self, image: Path, data: Path) -> None:
        entry = re.search(r'^ENTRYPOINT \["/venv/bin/python", "/app/(.+)"\]$', DOCKERFILE, re.M)
        assert entry is not None
        settings = re.search(r"^ENV (.+)$", DOCKERFILE, re.M)
        assert settings is not None
        variables = dict(re.findall(r"(\w+)=(\S+)", settings[1]))
        variables["QUILLIUM_DATA_DIR"] = str(data)
        command = [*SANDBOX, "--bind", str(data), str(data), sys.executable]
        self.process = subprocess.Popen(
            [*command, str(image / entry[1]), "--port=0", "--bcrypt-cost=4", "--log-format=text"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", **variables},
        )
        self.first_line = read_line(self.process, self.process.stderr)
        found = re.search(r"listening on http://\S+:(\d+),", self.first_line)
        self.url = f"http://127.0.0.1:{found[1]}" if found else ""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def run_image(image: Path) -> Iterator[Any]:
    running: list[Sandboxed] = []

    def run(data: Path) -> Sandboxed:
        running.append(Sandboxed(image, data))
        return running[-1]

    yield run
    for program in running:
        program.process.kill()
        program.process.communicate()


@needs_sandbox
def test_the_image_needs_no_root_and_no_writable_disk(run_image: Any, volume: Path) -> None:
    program = run_image(volume)
    assert program.url, program.first_line
    code = read_line(program.process, program.process.stderr).split()[-1]
    body = {"email": "ada@example.com", "password": "a good password", "setup_code": code}
    token = program.call("POST", "/api/v1/auth/register", body)["access_token"]
    chat = program.call("POST", "/api/v1/chats", {"title": "Read-only"}, token)["id"]
    message = {"content": "/lorem 300"}
    program.call("POST", f"/api/v1/chats/{chat}/messages", message, token)
    found = program.call("GET", "/api/v1/chats?q=only", token=token)
    assert found["pagination"]["total"] == 1
    program.call("DELETE", f"/api/v1/chats/{chat}", token=token)  # its erasure rewrites the file
    pid = int((Path("/proc") / str(program.process.pid) / "task" / str(program.process.pid)
               / "children").read_text().split()[0])  # fmt: skip
    os.kill(pid, signal.SIGTERM)
    _, errors = program.process.communicate(timeout=30)
    assert program.process.returncode == 0, errors
    assert "Traceback" not in errors
    assert (volume / "quillium.db").stat().st_mode & 0o777 == 0o600
    again = run_image(volume)
    assert again.url, again.first_line


@needs_sandbox
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_volume_of_somebody_else_says_what_to_do(run_image: Any, volume: Path) -> None:
    os.chown(volume, 1, 1)
    program = run_image(volume)
    assert program.process.wait(15) == 2
    assert program.first_line.startswith(
        f"quillium: the data folder {volume} can't be used: Permission denied. It belongs to user"
    )
    assert f", and Quillium runs as user {USER}" in program.first_line


# systemd


def unit() -> str:
    """The unit with paths that exist here."""
    text = UNIT.read_text()
    return text.replace("/opt/quillium/.venv/bin/python", sys.executable).replace(
        "/opt/quillium", str(ROOT)
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_accepts_the_unit_and_calls_it_safe(tmp_path: Path) -> None:
    path = tmp_path / "quillium.service"
    path.write_text(unit())
    verify = ["systemd-analyze", "verify", str(path)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    if "Failed to initialize path lookup table" in done.stderr:
        pytest.skip("systemd-analyze doesn't work here")
    assert (done.returncode, done.stderr) == (0, "")
    rate = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(path)]
    rated = subprocess.run(rate, capture_output=True, text=True, timeout=60)
    assert rated.returncode == 0, rated.stdout  # an exposure of at most 2.0 of 10


def test_the_command_of_the_unit_is_one(tmp_path: Path) -> None:
    command = re.search(r"^ExecStart=(.+)$", unit(), re.M)
    assert command is not None
    given = shlex.split(command[1].replace("%S", str(tmp_path)))
    done = subprocess.run([*given, "--help"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert given[-2:] == ["--data-dir", f"{tmp_path}/quillium"]
