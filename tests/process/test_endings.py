"""How a server ends: by signals, with its parent, or after a failed start (contract, section 9).

In every case it closes what it has opened, and no thread keeps the process alive.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, Program, read_line

ENDING_SECONDS = 15  # far more than an ending needs, so that no loaded machine fails a test


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    ready: dict[str, Any] = json.loads(read_line(process, process.stdout))
    return ready


def is_clean(data: Path) -> bool:
    """Whether the server has closed its database and withdrawn its control endpoint."""
    names = {path.name for path in data.iterdir()}
    return "quillium.db" in names and not names & {"quillium.db-wal", "server.json"}


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_drains(start: Any, tmp_path: Path, number: int) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    path = f"/api/v1/chats/{chat}/messages"
    program.call("POST", path, {"content": "/slow 1"}, token)
    assert program.stop(number) == (0, "")
    assert is_clean(tmp_path / "data")
    reply = start().call("GET", path, token=token)["data"][1]
    assert reply["status"] == "interrupted"


def test_a_closed_terminal_drains(tmp_path: Path) -> None:
    data = tmp_path / "data"
    pid, terminal = pty.fork()
    if pid == 0:
        flags = ["--port=0", f"--data-dir={data}", "--bcrypt-cost=4", "--no-discovery"]
        os.execv(sys.executable, [sys.executable, str(ROOT / "quillium.py"), *flags])
    shown = b""
    while b"Ctrl-C" not in shown:
        shown += os.read(terminal, 4096)
    os.close(terminal)  # the kernel sends SIGHUP
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert is_clean(data)


def test_nohup_goes_on(start: Any, launch: Any, tmp_path: Path) -> None:
    process = launch(
        "--port=0",
        f"--data-dir={tmp_path}",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    url = read_line(process, process.stderr).partition("listening on ")[2].partition(",")[0]
    process.send_signal(signal.SIGHUP)
    with urllib.request.urlopen(f"{url}/health", timeout=10) as response:
        assert response.status == 200
    process.terminate()
    assert process.wait(ENDING_SECONDS) == 0


def hold_a_drain(program: Program) -> socket.socket:
    """A WebSocket that never answers the server's close frame: a drain waits for it."""
    token = program.register()
    host, port = program.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    client.sendall(
        f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert b"101" in client.recv(12)
    return client


def wait_until_it_drains(data: Path) -> None:
    until = time.monotonic() + ENDING_SECONDS
    while (data / "server.json").exists():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_at_once(start: Any, tmp_path: Path, first: int, second: int) -> None:
    program = start()
    with hold_a_drain(program):
        program.process.send_signal(first)
        wait_until_it_drains(tmp_path / "data")
        program.process.send_signal(second)
        assert program.process.wait(ENDING_SECONDS) == -second  # by the signal, not after a drain
    assert start().call("GET", "/health")["status"] == "ok"


def test_a_second_hangup_does_not_cut_a_drain(start: Any, tmp_path: Path) -> None:
    """A closed terminal sends one by the kernel and one by the shell."""
    program = start()
    with hold_a_drain(program):
        program.process.send_signal(signal.SIGHUP)
        wait_until_it_drains(tmp_path / "data")
        program.process.send_signal(signal.SIGHUP)
    assert program.process.wait(ENDING_SECONDS) == 0
    assert is_clean(tmp_path / "data")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start(start: Any, launch: Any, tmp_path: Path, number: int) -> None:
    """Here while a sidecar waits for its folder, which blocks the event loop."""
    start().process.send_signal(signal.SIGSTOP)
    (tmp_path / "data" / "server.json").unlink()  # as if it was ending
    process = launch("--sidecar", f"--data-dir={tmp_path / 'data'}", "--log-level=DEBUG")
    assert "the data folder is still in use" in read_line(process, process.stderr)
    process.send_signal(number)
    assert process.wait(ENDING_SECONDS) == 0


def test_a_thread_that_is_stuck_does_not_delay_the_end(launch: Any, tmp_path: Path) -> None:
    """Such as one that resolves a name, while the resolver answers nothing for minutes."""
    (tmp_path / "sitecustomize.py").write_text(
        "import asyncio, sys, time\n"
        "begin = asyncio.BaseEventLoop.run_until_complete\n"
        "def block():\n"
        "    print('blocked', file=sys.stderr, flush=True)\n"
        "    time.sleep(3600)\n"
        "def run(loop, main):\n"
        "    loop.call_later(0.01, lambda: loop.run_in_executor(None, block))\n"
        "    return begin(loop, main)\n"
        "asyncio.BaseEventLoop.run_until_complete = run\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = launch("--port=0", f"--data-dir={tmp_path / 'data'}", env=environment)
    lines = {read_line(process, process.stderr) for _ in range(2)}
    assert "blocked\n" in lines
    process.terminate()
    assert process.wait(ENDING_SECONDS) == 0
    assert is_clean(tmp_path / "data")


# A start that fails after the database is open


@pytest.mark.parametrize("mode", [["--sidecar"], ["--demo", "--port=0"]], ids=["sidecar", "demo"])
def test_a_stdout_that_breaks_before_the_ready_line(
    launch: Any, tmp_path: Path, mode: list[str]
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    folder = [] if "--demo" in mode else [f"--data-dir={tmp_path / 'data'}"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = launch(*mode, *folder, stdout=write_end, env=environment, stdin=subprocess.PIPE)
    os.close(write_end)
    _, errors = process.communicate(timeout=ENDING_SECONDS)
    lines = [line for line in errors.splitlines() if '"level"' not in line]
    if "--demo" in mode:
        assert process.returncode == 2
        assert lines == ["quillium: stdout can't be written: Broken pipe"]
        assert list(tmp_path.iterdir()) == []
    else:  # the parent is gone, which is a reason to end and no error
        assert process.returncode in (0, 2)
        assert lines in ([], ["quillium: stdout can't be written: Broken pipe"])


def test_a_full_disk_while_it_starts(launch: Any, tmp_path: Path) -> None:
    """The database is open, and `server.json` can't be written any more."""
    data = tmp_path / "data"
    first = launch("--port=0", f"--data-dir={data}")
    read_line(first, first.stderr)
    first.terminate()
    assert first.wait(ENDING_SECONDS) == 0
    (data / "server.json").mkdir()
    process = launch("--port=0", f"--data-dir={data}")
    _, errors = process.communicate(timeout=ENDING_SECONDS)
    assert process.returncode == 2
    assert errors.startswith("quillium: ")
    assert errors.count("\n") == 1
    assert "server.json" in errors
    assert not (data / "quillium.db-wal").exists()


def test_too_few_files_while_it_starts(launch: Any, tmp_path: Path) -> None:
    """At every limit it either serves, or says in one line why it can't."""
    for limit in range(6, 40, 3):

        def limited(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

        process = launch("--port=0", f"--data-dir={tmp_path}", preexec_fn=limited)
        lines = []
        while (line := read_line(process, process.stderr)) and "listening on" not in line:
            lines.append(line)
        if line:
            break
        if process.wait(ENDING_SECONDS) == 1 and limit < 10:
            continue  # Python itself can't import its modules
        assert process.returncode == 2, lines
        said = [line for line in lines if not line.startswith("{")]
        assert [line.partition(" ")[0] for line in said] == ["quillium:"], lines
    else:
        raise AssertionError("it needs more than 40 files")


def test_few_files_serve_few_clients(launch: Any, tmp_path: Path) -> None:
    """`ulimit -n 64`: it used to say that it listens, and to reset every connection."""
    process = launch(
        "--port=0",
        f"--data-dir={tmp_path}",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )
    url = read_line(process, process.stderr).partition("listening on ")[2].partition(",")[0]
    for _ in range(3):
        with urllib.request.urlopen(f"{url}/health", timeout=10) as response:
            assert json.load(response)["status"] == "ok"


# With the parent


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_sidecar_ends_with_its_parent(launch: Any, tmp_path: Path, stream: str) -> None:
    process = launch("--sidecar", f"--data-dir={tmp_path}")
    ready_line(process)
    getattr(process, stream).close()
    assert process.wait(ENDING_SECONDS) == 0
    assert is_clean(tmp_path)


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_sidecar_ends_with_its_parent_while_it_starts(
    start: Any, launch: Any, tmp_path: Path, stream: str
) -> None:
    start().process.send_signal(signal.SIGSTOP)
    (tmp_path / "data" / "server.json").unlink()
    process = launch("--sidecar", f"--data-dir={tmp_path / 'data'}", "--log-level=DEBUG")
    assert "the data folder is still in use" in read_line(process, process.stderr)
    getattr(process, stream).close()
    assert process.wait(ENDING_SECONDS) == 0


def test_nonsense_from_a_parent_is_answered_by_an_error(launch: Any, tmp_path: Path) -> None:
    process = launch("--sidecar", f"--data-dir={tmp_path}")
    process.stdin.write('hello\n\n{"request": 1}\n{"request": "tokens"}\n')  # before it is ready
    process.stdin.flush()
    url = ready_line(process)["url"]
    answers = [json.loads(read_line(process, process.stdout)) for _ in range(3)]
    assert [answer["event"] for answer in answers] == ["error", "error", "tokens"]
    assert "request" in answers[0]["message"]
    process.stdin.write('hello\n{}\n[]\n{"request": 1}\n' * 10_000 + "[" * 100_000 + "\n")
    process.stdin.flush()
    with urllib.request.urlopen(f"{url}/health", timeout=10) as response:
        assert response.status == 200
    process.stdin.close()
    assert process.wait(ENDING_SECONDS) == 0


def test_a_sidecar_waits_for_an_instance_that_is_ending(
    start: Any, launch: Any, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    ending = start()
    with hold_a_drain(ending):
        ending.process.terminate()
        wait_until_it_drains(data)
        process = launch("--sidecar", f"--data-dir={data}", "--log-level=DEBUG")
        assert "the data folder is still in use" in read_line(process, process.stderr)
    assert ready_line(process)["event"] == "ready"
    assert ending.process.wait(ENDING_SECONDS) == 0


def test_a_sidecar_waits_for_one_that_was_not_told_yet(
    start: Any, launch: Any, tmp_path: Path
) -> None:
    """Its parent was killed a moment ago, and the next parent is faster."""
    data = tmp_path / "data"
    first = start()
    process = launch("--sidecar", f"--data-dir={data}", "--log-level=DEBUG")
    assert "the data folder is still in use" in read_line(process, process.stderr)
    first.process.terminate()
    assert ready_line(process)["event"] == "ready"


def test_a_sidecar_beside_a_server_that_serves(start: Any, launch: Any, tmp_path: Path) -> None:
    start()
    process = launch("--sidecar", f"--data-dir={tmp_path / 'data'}")
    assert "another server is using the data folder" in read_line(process, process.stderr)
    assert process.wait(ENDING_SECONDS) == 2
    assert process.stdout.read() == ""


def test_a_request_does_not_keep_a_sidecar_whose_parent_is_gone(
    start: Any, launch: Any, tmp_path: Path
) -> None:
    start().process.send_signal(signal.SIGSTOP)
    (tmp_path / "data" / "server.json").unlink()
    process = launch("--sidecar", f"--data-dir={tmp_path / 'data'}", "--log-level=DEBUG")
    process.stdin.write('{"request": "tokens"}\n')
    process.stdin.flush()
    assert "the data folder is still in use" in read_line(process, process.stderr)
    process.stdin.close()
    assert process.wait(ENDING_SECONDS) == 0


def test_a_sidecar_keeps_its_port(launch: Any, tmp_path: Path) -> None:
    def start_and_stop() -> int:
        process = launch("--sidecar", f"--data-dir={tmp_path}", env={**os.environ, "PORT": "80"})
        port = int(ready_line(process)["port"])
        process.stdin.close()
        assert process.wait(ENDING_SECONDS) == 0
        return port

    port = start_and_stop()
    assert start_and_stop() == port
    with socket.create_server(("127.0.0.1", port)):
        assert start_and_stop() != port


# Demos


def test_a_demo_that_was_killed_is_swept(launch: Any, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    def demo_folders() -> set[str]:
        return {path.name for path in tmp_path.glob("quillium-demo-*")}

    def start_demo() -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = launch("--demo", "--port=0", env=environment)
        assert read_line(process, process.stdout).startswith("Sign in as")
        return process

    killed, running = start_demo(), start_demo()
    assert len(demo_folders()) == 2
    killed.kill()
    killed.wait()
    (tmp_path / "quillium-demo-file").write_text("somebody's own")
    (tmp_path / "quillium-demo-link").symlink_to(ROOT)
    server = launch("--port=0", f"--data-dir={tmp_path / 'data'}", env=environment)
    read_line(server, server.stderr)
    left = demo_folders() - {"quillium-demo-file", "quillium-demo-link"}
    assert len(left) == 1  # of the one that runs
    running.send_signal(signal.SIGHUP)
    assert running.wait(ENDING_SECONDS) == 0
    assert demo_folders() == {"quillium-demo-file", "quillium-demo-link"}


def test_a_server_writes_nothing_outside_its_data_folder(launch: Any, tmp_path: Path) -> None:
    """A root file system that is read-only, with a volume for the data."""
    outside, data = tmp_path / "outside", tmp_path / "data"
    outside.mkdir()
    environment = {
        **os.environ,
        **dict.fromkeys(("TMPDIR", "HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), str(outside)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = launch("--port=0", f"--data-dir={data}", env=environment, cwd=outside)
    watched = threading.Thread(target=lambda: read_line(process, process.stderr))
    watched.start()
    seen: set[str] = set()
    while watched.is_alive():
        seen |= {path.name for path in outside.iterdir()}
    process.kill()
    process.wait()
    assert seen == set()
    assert list(outside.iterdir()) == []
