"""The wheel, installed into an environment of its own, and as one file (shiv).

The dependencies are copies of those that are installed here, so that no registry is needed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.assistant.pdf_files import pdf
from tests.program import ROOT, read_line

ROOMS = ("assistant", "cli", "core", "docs", "handlers", "schemas", "services", "static",
         "storage", "web")  # fmt: skip


def copy_package(name: str, folder: Path, done: set[str]) -> None:
    """Copy an installed package and what it requires."""
    if name in done:
        return
    done.add(name)
    package = importlib.metadata.distribution(name)
    for file in package.files or ():
        if ".." not in file.parts and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(package.locate_file(file)), target)
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            copy_package(requirement.name, folder, done)


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel requires, and pypdf."""
    folder = tmp_path_factory.mktemp("dependencies")
    done: set[str] = set()
    names = [Requirement(line) for line in importlib.metadata.requires("quillium") or ()]
    for requirement in names:
        if requirement.marker is None:
            copy_package(requirement.name, folder, done)
    copy_package("pypdf", folder, done)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(".*", "tests", "bench", "*.egg-info", "build", "dist")
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}",
        folder / "source")  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def pip(python: str | Path, *arguments: str | Path) -> None:
    command = [python, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(wheel: Path, dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a virtual environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(str(dependencies))
    pip(sys.executable, f"--python={python}", "install", "--no-deps", "--no-index", wheel)
    return folder / "bin" / "quillium"


@pytest.fixture(scope="module")
def one_file(wheel: Path, dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("shiv", reason="needs shiv")
    path = tmp_path_factory.mktemp("one_file") / "quillium.pyz"
    command: list[str | Path] = [sys.executable, "-m", "shiv", "-c", "quillium", "-o", path]
    command += ["--site-packages", dependencies, "--no-deps", "--no-index", "-q", wheel]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(params=["installed", "one_file"])
def quillium(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Starts the command as somebody does who has nothing else."""
    path = request.getfixturevalue(request.param)
    python = Path(sys.base_prefix) / "bin"
    environment = {"HOME": str(tmp_path), "PATH": f"{python}:/usr/bin:/bin"}
    command = [path] if request.param == "installed" else [python / "python3", path]
    processes: list[subprocess.Popen[str]] = []

    def start(*flags: str) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        whole = [*command, "--no-discovery", *flags]
        processes.append(subprocess.Popen(whole, env=environment, text=True, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_the_wheel_contains_what_runs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    unused = {"__pycache__", "images"}  # and scripts of static/, and the schema, which is a report
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            is_script = room == "static" and path.suffix == ".py"
            is_unused = unused & set(path.parts) or path.suffix == ".sql" or is_script
            if path.is_file() and not is_unused:
                assert f"_quillium/{path.relative_to(ROOT)}" in names
    others = {name for name in names if not name.startswith(("_quillium/", "quillium-"))}
    assert others == {"quillium.py"}


def test_help_leads_to_the_documentation(quillium: Any) -> None:
    output, _ = quillium("--help").communicate(timeout=30)
    folder = Path(output.splitlines()[-1])
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert {page.name for page in folder.glob("*.md")} == pages


@pytest.mark.parametrize("flags", [(), ("--dev",), ("--demo",)], ids=" ".join)
def test_a_server_starts_and_stops(quillium: Any, flags: tuple[str, ...]) -> None:
    process = quillium("--port=0", *flags)
    line = read_line(process, process.stderr)
    found = re.search(r"listening on (http://\S+),", line)
    assert found, line
    with urllib.request.urlopen(f"{found[1]}/", timeout=10) as page:
        assert b"<title>" in page.read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_pdf_file_is_read(quillium: Any, tmp_path: Path) -> None:
    """By a process of its own, which has to find its packages as well."""
    process = quillium("--sidecar", f"--data-dir={tmp_path / 'data'}")
    ready = json.loads(read_line(process, process.stdout))

    def call(path: str, body: bytes) -> str:
        headers = {
            "Authorization": f"Bearer {ready['access_token']}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
        }
        request = urllib.request.Request(f"{ready['url']}/api/v1{path}", body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return str(response.read().decode())

    file = json.loads(call("/files?name=notes.pdf", pdf(b"Rome is quiet")))["id"]
    chat = json.loads(call("/chats", b"{}"))["id"]
    message = json.dumps({"content": "What is this?", "attachments": [file]}).encode()
    assert "Rome is quiet" in call(f"/chats/{chat}/messages", message)
