"""The server, run inside the test process (tests/process runs it as its own process)."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli import arguments, stopping
from cli.serve import Process
from core.options import ConfigError
from storage import folder

FLAGS = ("--port=0", "--no-discovery", "--bcrypt-cost=4")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Signals as they were before the test."""
    before = {number: signal.getsignal(number) for number in stopping._SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def serve(*flags: str) -> None:
    Process(arguments.parse([*FLAGS, *flags], {}, "1.2.3").config, "1.2.3").run()


def meanwhile(work: Callable[[], None]) -> threading.Thread:
    """Do something in a thread, then end the server."""

    def run() -> None:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(path: Path) -> Path:
    until = time.monotonic() + 20
    while not (path.exists() and path.read_bytes()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return path


def test_it_serves_and_releases_everything(data_dir: Path) -> None:
    seen = {}

    def ask() -> None:
        endpoint = json.loads(wait_for(data_dir / "server.json").read_bytes())
        with urllib.request.urlopen(f"{endpoint['url']}/health", timeout=10) as response:
            seen.update(json.load(response))

    thread = meanwhile(ask)
    serve(f"--data-dir={data_dir}")
    thread.join()
    assert (seen["status"], seen["version"]) == ("ok", "1.2.3")
    assert not {"quillium.db-wal", "server.json"} & {path.name for path in data_dir.iterdir()}
    with folder.locked(data_dir):
        pass
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith(("quillium-writer", "quillium-reader"))}


def test_a_demo_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = []

    def wait() -> None:
        until = time.monotonic() + 20
        while not (found := list(tmp_path.glob("quillium-demo-*/server.json"))):
            assert time.monotonic() < until
            time.sleep(0.01)
        seen.extend(found)
        url = json.loads(found[0].read_bytes())["url"]
        with urllib.request.urlopen(f"{url}/health", timeout=10):
            pass  # the start is over, so that the signal can't interrupt it

    thread = meanwhile(wait)
    serve("--demo")
    thread.join()
    assert seen
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out.startswith("Sign in as demo@quillium.local with the password ")


def test_a_start_that_fails_late_releases_everything(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: folder.DataFolder, url: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.DataFolder, "control_endpoint", fail)
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="No space left"):
        serve(f"--data-dir={data_dir}")
    assert set(threading.enumerate()) <= before
    monkeypatch.undo()
    with folder.locked(data_dir):
        pass


def test_a_port_that_is_taken_leaves_no_lock(data_dir: Path) -> None:
    with pytest.raises(ConfigError, match="can't listen on"):
        serve(f"--data-dir={data_dir}", "--host=203.0.113.1")
    with folder.locked(data_dir):
        pass
