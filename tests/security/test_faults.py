"""Disk faults (docs/security.md, "Faults"): writes fail with 503, reads work, recovery."""

from __future__ import annotations

import json
import resource
import subprocess
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.program import Program, run

Fault = Callable[[Program, Path], Any]
PATH = "/api/v1/chats"
FILES = "/api/v1/files"


def status(program: Program, method: str, path: str, body: Any = None, token: str = "") -> int:
    try:
        program.call(method, path, body, token)
    except urllib.error.HTTPError as refused:
        answer, code = json.load(refused), refused.code
    else:
        return 200
    wanted = answer["status"] if path == "/health" else answer["error"]["code"]
    assert wanted in {"degraded", "storage_unavailable"}
    return code


@contextmanager
def no_larger_files(program: Program, folder: Path) -> Iterator[None]:
    """Every write that would make a file larger is an I/O error."""
    pid = program.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def vanished(program: Program, folder: Path) -> Iterator[None]:
    away = folder.with_name("away")
    folder.rename(away)
    yield
    away.rename(folder)


@contextmanager
def replaced(program: Program, folder: Path) -> Iterator[None]:
    """Another folder of the same name is not the one that we hold."""
    with vanished(program, folder):
        folder.mkdir()
        (folder / "quillium.db").write_bytes(b"")
        (folder / "quillium.db-wal").write_bytes(b"")
        yield
        assert [path.stat().st_size for path in folder.iterdir()] == [0, 0]
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def mounted(folder: Path, options: str) -> bool:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@contextmanager
def full_disk(program: Program, folder: Path) -> Iterator[None]:
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 1024):
            pass
    yield
    filler.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 2 MiB."""
    folder = tmp_path / "data"
    if not mounted(folder, "size=2m"):
        pytest.skip("needs the right to mount a tmpfs, as root has it")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def withstand(program: Program, folder: Path, fault: Fault) -> None:
    """Before, during and after a fault: what is acknowledged is there, what is not is not."""
    token = program.register()
    chat = program.call("POST", PATH, {"title": "before"}, token)["id"]
    messages = f"{PATH}/{chat}/messages"
    program.call("POST", messages, {"content": "/slow 20", "client_id": "a"}, token)
    with fault(program, folder):
        refused = {"content": "x" * 50_000, "client_id": "b"}
        assert status(program, "POST", messages, refused, token) == 503
        assert status(program, "POST", PATH, {"title": "x" * 200}, token) == 503
        assert status(program, "POST", FILES, {"a file": "x" * 60_000}, token) == 503
        assert status(program, "GET", "/health") == 503
        assert program.call("GET", PATH, token=token)["data"][0]["title"] == "before"
        assert program.call("GET", f"{PATH}?q=slow", token=token)["pagination"]["total"] == 1
        listed = program.call("GET", messages, token=token)["data"]
        assert [line["client_id"] for line in listed if line["sender"] == "user"] == ["a"]
        assert status(program, "POST", messages, refused, token) == 503  # twice
    while status(program, "GET", "/health") != 200:  # the verdict is remembered for a second
        time.sleep(0.05)
    stored = program.call("POST", messages, refused, token)
    again = program.call("POST", messages, refused, token)
    assert stored == again  # it was not stored in the dark
    file = program.call("POST", FILES, {"a file": "x" * 60_000}, token)
    assert program.call("GET", f"{FILES}/{file['id']}", token=token) == {"a file": "x" * 60_000}
    listed = program.call("GET", messages, token=token)["data"]
    assert [line["client_id"] for line in listed if line["sender"] == "user"] == ["a", "b"]


@pytest.mark.parametrize("fault", [no_larger_files, vanished, replaced])
def test_faults_pass(start: Any, tmp_path: Path, fault: Fault) -> None:
    program = start()
    withstand(program, tmp_path / "data", fault)
    code, errors = program.stop()
    assert code == 0
    assert errors.count("the database can't be written") == 1  # said once, not for each request
    assert "Traceback" not in errors
    assert run("check", "--data-dir", tmp_path / "data").returncode == 0


def test_a_full_disk_that_recovers(start: Any, small_disk: Path) -> None:
    program = start(data_dir=small_disk)
    withstand(program, small_disk, full_disk)
    code, errors = program.stop()
    assert code == 0
    assert "Traceback" not in errors
    assert run("check", "--data-dir", small_disk).returncode == 0


def test_a_start_on_a_full_disk_says_so(start: Any, small_disk: Path) -> None:
    with full_disk(start, small_disk):
        program = start(data_dir=small_disk)
        assert program.process.wait(10) == 2
        assert "is full" in program.first_line or "No space left" in program.first_line
        assert program.first_line.startswith("quillium: ")
    assert start(data_dir=small_disk).call("GET", "/health")["status"] == "ok"


def test_a_start_on_a_read_only_disk_says_so(start: Any, small_disk: Path) -> None:
    start(data_dir=small_disk).stop()
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    program = start(data_dir=small_disk)
    assert program.process.wait(10) == 2
    assert f"the data folder {small_disk} can't be used: Read-only file system" in (
        program.first_line
    )


def test_a_backup_onto_a_full_disk_says_so(start: Any, small_disk: Path, tmp_path: Path) -> None:
    start(data_dir=tmp_path / "elsewhere").stop()
    with full_disk(start, small_disk):
        target = small_disk / "backup.db"
        done = run("backup", target, "--data-dir", tmp_path / "elsewhere")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "can't be written" in done.stderr
        assert [path.name for path in small_disk.iterdir()] == ["filler"]
