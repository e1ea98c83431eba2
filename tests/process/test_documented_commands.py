"""The commands that the documentation prints, each run in a folder that looks like a checkout.

Only these differ: the port, a home folder of the test, and `pip`, which is not run; what it would
install has to exist. tests/test_snippets.py finds the blocks that nobody runs.
"""

from __future__ import annotations

import configparser
import json
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

from tests.program import ROOT, Program, free_port, read_line
from tests.snippets import Snippet, block

SERVERS = [
    block("README.md", "python3 -m venv .venv && .venv/bin/pip install -q -e . &&"),
    block("docs/frontend.md", "python3 -m venv"),
    block("docs/models.md", ".venv/bin/pip install -q -e '.[pdf]'"),
    block("docs/operations.md", ".venv/bin/pip install -q -e '.[metrics]'"),
    block("docs/operations.md", "QUILLIUM_ALLOWED_HOSTS="),
    block("docs/testing.md", ".venv/bin/python quillium.py --dev --port 8080"),
]
SIDECARS = [
    block("docs/desktop.md", "dist/quillium/quillium --sidecar"),
    block("docs/testing.md", ".venv/bin/python quillium.py --dev --sidecar"),
]
SEED = block("docs/testing.md", "{").text


class Checkout:
    """A folder with the repository's files, in which blocks of shell commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.data = folder / "home" / ".local" / "share" / "quillium"
        self._pip_log = folder / "pip.log"
        for path in ROOT.iterdir():
            if not path.name.startswith((".", "dist", "build")):
                (folder / path.name).symlink_to(path)
        quillium = f'"{sys.executable}" "{folder / "quillium.py"}"'
        self._script("dist/quillium/quillium", f'exec {quillium} "$@"')
        self._script("bin/quillium", f'exec {quillium} "$@"')
        self._script(".venv/bin/python", f'exec "{sys.executable}" "$@"')
        self._script("bin/python3", '[ "$*" = "-m venv .venv" ]')
        self._script(".venv/bin/pip", f'echo "$@" >> "{self._pip_log}"')
        self._environment = {
            "HOME": str(folder / "home"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "BROWSER": "true",
            "QUILLIUM_PORT": str(self.port),
            "QUILLIUM_NO_DISCOVERY": "true",
            "QUILLIUM_BCRYPT_COST": "4",
        }
        self._processes: list[subprocess.Popen[str]] = []

    def _script(self, name: str, line: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def start(self, snippet: Snippet, **environment: str) -> subprocess.Popen[str]:
        """Start a block as it is printed, except for the port 8080."""
        process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail", "-c", snippet.text.replace("8080", str(self.port))],
            cwd=self.folder,
            env=self._environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def run(self, snippet: Snippet, **environment: str) -> str:
        """Run a block to its end; its output."""
        process = self.start(snippet, **environment)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        self.check_installations()
        return output

    def interrupt(self, process: subprocess.Popen[str]) -> None:
        """Press Ctrl-C, which ends a server without an error."""
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors

    def check_installations(self) -> None:
        """Check that what `pip` was asked for exists."""
        lines = self._pip_log.read_text().splitlines() if self._pip_log.exists() else []
        config = configparser.ConfigParser()
        config.read(ROOT / "setup.cfg")
        for line in lines:
            assert re.match(r"install -q ", line), line
            if extra := re.search(r"-e \.\[(\w+)\]$", line):
                assert extra[1] in config["options.extras_require"]
            elif lock := re.search(r"--require-hashes -r (\S+)$", line):
                assert (ROOT / lock[1]).is_file()
            else:
                assert line.endswith("-e ."), line

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.close()


@pytest.fixture
def program(start: Any, checkout: Checkout) -> Program:
    """A server for the blocks that call one."""
    started: Program = start("--dev", f"--port={checkout.port}")
    return started


@pytest.mark.parametrize("snippet", SERVERS, ids=lambda snippet: snippet.name)
def test_a_server(checkout: Checkout, snippet: Snippet) -> None:
    (checkout.folder / "seed.json").write_text(SEED)
    process = checkout.start(snippet)
    line = read_line(process, process.stderr)
    assert f":{checkout.port}," in line, line
    checkout.interrupt(process)
    checkout.check_installations()


@pytest.mark.parametrize("snippet", SIDECARS, ids=lambda snippet: snippet.name)
def test_a_sidecar(checkout: Checkout, snippet: Snippet) -> None:
    """It prints what docs/desktop.md shows, and ends with its stdin."""
    (checkout.folder / "seed.json").write_text(SEED)
    process = checkout.start(snippet)
    printed = json.loads(read_line(process, process.stdout))
    shown = json.loads(block("docs/desktop.md", '{"event": "ready"').text)
    assert {name: type(value) for name, value in printed.items()} == {
        name: type(value) for name, value in shown.items()
    }
    process.communicate("", timeout=30)
    assert process.returncode == 0


def test_a_demo(checkout: Checkout) -> None:
    process = checkout.start(block("docs/demo.md", "python3 -m venv"))
    printed = read_line(process, process.stdout)
    shown = block("docs/demo.md", "Sign in as").text
    assert printed.split()[:-1] == shown.split()[:-1]
    assert len(printed) == len(shown)
    checkout.interrupt(process)
    checkout.check_installations()


@pytest.mark.parametrize(
    "snippet",
    [
        block("docs/desktop.md", "python3 -m venv .venv && .venv/bin/pip install -q -e"),
        block("docs/desktop.md", "python3 -m venv .venv && .venv/bin/pip install -q --require"),
    ],
    ids=lambda snippet: snippet.name,
)
def test_a_build(checkout: Checkout, snippet: Snippet) -> None:
    """Without the build, which tests/bundle/test_bundle.py does with the same command."""
    checkout._script(".venv/bin/python", f'exec "{sys.executable}" "$@" --help')
    assert "build.py" in checkout.run(snippet)


def test_the_setup_code(checkout: Checkout) -> None:
    """A server on the network prints what docs/operations.md shows."""
    snippet = SERVERS[0]
    process = checkout.start(snippet, QUILLIUM_HOST="0.0.0.0", QUILLIUM_LOG_FORMAT="text")
    address = read_line(process, process.stderr)
    assert f"http://127.0.0.1:{checkout.port}, and all other addresses," in address
    printed = read_line(process, process.stderr)
    shown = block("docs/operations.md", "To create the first account").text
    words, code = shown.rstrip().rsplit(" ", 1)
    assert re.search(rf"{re.escape(words)} \w{{{len(code)}}}$", printed), printed
    checkout.interrupt(process)


def test_backup_restore_and_check(checkout: Checkout) -> None:
    checkout.interrupt(served(checkout))
    checkout.run(block("docs/durability.md", ".venv/bin/python quillium.py backup"))
    assert (checkout.folder / "FILE").stat().st_size > 0
    assert len(list(checkout.data.glob("quillium.db.replaced-*"))) == 1


def test_the_schema_of_a_release(checkout: Checkout) -> None:
    checkout.interrupt(served(checkout))
    shutil.copytree(checkout.data, checkout.folder / "FOLDER")
    (checkout.folder / "tests").unlink()
    shutil.copytree(ROOT / "tests" / "storage", checkout.folder / "tests" / "storage")
    checkout.run(block("CONTRIBUTING.md", ".venv/bin/python tests/storage/dump.py"))
    written = checkout.folder / "tests" / "storage" / "released" / "VERSION.sql"
    assert "CREATE TABLE" in written.read_text()


def served(checkout: Checkout) -> subprocess.Popen[str]:
    process = checkout.start(SERVERS[0])
    assert f":{checkout.port}," in read_line(process, process.stderr)
    return process


# Calls of a server


def test_an_upload(checkout: Checkout, program: Program) -> None:
    image = ROOT / "docs" / "images" / "welcome-390-light.png"
    shutil.copy(image, checkout.folder / "screenshot.png")
    snippet = block("docs/api.md", "curl --data-binary")
    file = json.loads(checkout.run(snippet, TOKEN=program.register()))
    assert (file["name"], file["size"]) == ("screenshot.png", image.stat().st_size)


def test_a_provider(checkout: Checkout, program: Program) -> None:
    api, token = f"{program.url}/api/v1", program.register()
    snippet = block("docs/models.md", "curl -X PUT $api/settings/admin")
    (provider,) = json.loads(checkout.run(snippet, api=api, token=token))["providers"]
    assert (provider["name"], provider["models"]) == ("OpenAI", ["*"])


def test_a_simulated_failure(checkout: Checkout, program: Program) -> None:
    assert program.url
    output = checkout.run(block("docs/frontend.md", "curl -i localhost:8080"))
    assert output.startswith("HTTP/1.1 503 ")


def test_a_state_that_is_saved_and_reset(checkout: Checkout, program: Program) -> None:
    program.register("ada@example.com")
    checkout.run(block("docs/testing.md", "curl -s localhost:8080/api/v1/dev/seed > seed.json"))
    saved = json.loads((checkout.folder / "seed.json").read_text())
    assert [user["email"] for user in saved["users"]] == ["ada@example.com"]
    checkout.run(block("docs/testing.md", "curl -s -X POST localhost:8080/api/v1/dev/reset"))
    assert program.call("GET", "/api/v1/dev/seed")["users"] == []


@pytest.mark.parametrize(
    ("snippet", "name", "count"),
    [
        (block("docs/testing.md", "curl -s -X PUT localhost:8080/api/v1/dev/rules"), "rules", 2),
        (
            block("docs/testing.md", "curl -s -X PUT localhost:8080/api/v1/dev/replies"),
            "replies",
            3,
        ),
    ],
    ids=["rules", "replies"],
)
def test_scripts(
    checkout: Checkout, program: Program, snippet: Snippet, name: str, count: int
) -> None:
    checkout.run(snippet)
    assert len(program.call("GET", f"/api/v1/dev/{name}")[name]) == count


def test_the_fixtures_for_pytest(checkout: Checkout) -> None:
    (checkout.folder / "seed.json").write_text(SEED)
    test = "\n\ndef test_it(backend):\n    with urllib.request.urlopen(f'{backend}/health') as found:\n"
    test += "        assert found.status == 200\n"
    fixtures = block("docs/testing.md", "import json, subprocess").text
    (checkout.folder / "test_project.py").write_text(fixtures + test)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--rootdir=.", "-c", os.devnull, "test_project.py"],
        cwd=checkout.folder,
        env=checkout._environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


# Lines of the log


def test_the_lines_of_the_log(start: Any) -> None:
    shown = json.loads(block("docs/operations.md", '{"time": ').text)
    program = start()
    program.call("GET", "/api/v1/users/me", token=program.register())
    program.process.terminate()
    _, errors = program.process.communicate(timeout=15)
    lines = [json.loads(line) for line in errors.splitlines()]
    (logged,) = [line for line in lines if line.get("route") == shown["route"]]
    assert list(logged) == list(shown)
    assert logged["message"].split()[:3] == shown["message"].split()[:3]


def test_the_lines_of_the_security_log(start: Any) -> None:
    shown = block("docs/operations.md", "2026-11-26 ").text
    program = start("--log-format=text")
    program.register()
    body = shlex.quote(json.dumps({"email": "ada@example.com", "password": "a wrong password"}))
    login = f"{program.url}/api/v1/auth/login -H 'Content-Type: application/json' -d {body}"
    subprocess.run(["bash", "-c", f"curl -s {login}"], check=True, capture_output=True)
    program.process.terminate()
    _, errors = program.process.communicate(timeout=15)
    (logged,) = [line for line in errors.splitlines() if " login_failed " in line]

    def form(line: str) -> str:
        return re.sub(r"\d+|(?<=_)\w+", "1", line.split(" ", 2)[2].strip())

    assert form(re.sub(r"=\S+", "=1", logged)) == form(re.sub(r"=\S+", "=1", shown))
