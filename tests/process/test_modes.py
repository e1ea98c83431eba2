"""Modes of operation: sidecar, demo, dev, accounts, logs (contract, section 10)."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from tests.program import ROOT, Program, read_line, refused

PASSWORD = "a good password"


def ready_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    ready: dict[str, Any] = json.loads(read_line(process, process.stdout))
    return ready


def get(url: str, path: str, token: str) -> Any:
    request = urllib.request.Request(
        f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def signed_in_by(page_url: str) -> Any:
    """The account that a page link signs in; it does so once."""
    url, _, code = page_url.partition("/#code=")
    request = urllib.request.Request(
        f"{url}/api/v1/auth/exchange",
        data=json.dumps({"code": code}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        token = json.load(answer)["access_token"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=10)
    return get(url, "/users/me", token)


# Sidecar


def test_a_sidecar_says_when_it_is_ready_and_goes_with_its_parent(
    tmp_path: Path, launch: Any
) -> None:
    process = launch("--sidecar", f"--data-dir={tmp_path}")
    ready = ready_line(process)
    assert set(ready) == {
        "event", "url", "port", "pid", "version", "access_token", "refresh_token", "expires_in",
        "token_type", "page_url",
    }  # fmt: skip
    assert ready["event"] == "ready"
    assert signed_in_by(ready["page_url"])["email"] == "owner@localhost"
    assert ready["pid"] == process.pid
    assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
    assert ready["port"] not in (0, 8080)
    me = get(ready["url"], "/users/me", ready["access_token"])
    assert (me["email"], me["is_admin"]) == ("owner@localhost", True)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=15) == 0
    assert process.stdout is not None
    assert process.stdout.read() == ""  # all else is said on stderr

    again = launch("--sidecar", f"--data-dir={tmp_path}")
    ready = ready_line(again)
    assert get(ready["url"], "/users/me", ready["access_token"])["id"] == me["id"]
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=15) == 0


def test_a_sidecar_answers_its_parent(tmp_path: Path, launch: Any) -> None:
    """A refresh token that was lost, or that another window has used, is no dead end."""
    process = launch("--sidecar", f"--data-dir={tmp_path}")
    requests = [f'{{"request": "{what}"}}' for what in ("tokens", "tea", "tokens", "page_url")]
    process.stdin.write("\n".join(requests) + "\n")  # at once, and before it is ready
    process.stdin.flush()
    ready = ready_line(process)
    first, unknown, second, page = (ready_line(process) for _ in range(4))
    assert page["page_url"] != ready["page_url"]
    assert signed_in_by(page["page_url"])["email"] == "owner@localhost"
    assert unknown == {"event": "error", "message": "unknown request: tea"}
    assert (first["event"], second["event"]) == ("tokens", "tokens")
    tokens = {line["access_token"] for line in (ready, first, second)}
    assert len(tokens) == 3
    for token in tokens:
        assert get(ready["url"], "/users/me", token)["email"] == "owner@localhost"


def test_a_sidecar_beside_accounts_and_at_a_given_port(
    tmp_path: Path, start: Any, launch: Any
) -> None:
    first = start(data_dir=tmp_path)
    first.register()
    first.stop()
    port = first.url.rpartition(":")[2]
    ready = ready_line(launch("--sidecar", f"--data-dir={tmp_path}", f"--port={port}"))
    assert ready["port"] == int(port)
    assert get(ready["url"], "/users/me", ready["access_token"])["is_admin"] is True


def test_a_sidecar_whose_log_nobody_reads(tmp_path: Path, launch: Any) -> None:
    """64 KiB fit into a pipe; a line for each request is more."""
    process = launch("--sidecar", f"--data-dir={tmp_path}", "--log-level=DEBUG")
    ready = ready_line(process)
    for _ in range(800):
        with urllib.request.urlopen(f"{ready['url']}/health", timeout=10) as answer:
            assert answer.status == 200
    process.terminate()
    assert process.wait(timeout=15) == 0


def test_demo_and_sidecar_exclude_each_other(launch: Any) -> None:
    process = launch("--demo", "--sidecar")
    out, said = process.communicate(timeout=15)
    assert (process.returncode, out) == (2, "")
    assert said == "quillium: --demo and --sidecar can't be combined\n"


# Demo


def test_a_demo(tmp_path: Path, launch: Any) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
    browser.chmod(0o755)
    environment = {**os.environ, "BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)}
    environment.pop("DISPLAY", None)
    process = launch("--demo", "--port=0", "--open", env=environment)
    told = read_line(process, process.stdout).split()
    email, password = told[3], told[-1]
    url = read_line(process, process.stderr).partition("listening on ")[2].partition(",")[0]
    request = urllib.request.Request(
        f"{url}/api/v1/auth/login",
        data=json.dumps({"email": email, "password": password}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        token = json.load(answer)["access_token"]
        assert "X-RateLimit-Limit" not in answer.headers
    assert email == "demo@quillium.local"
    assert get(url, "/users/me", token)["is_admin"] is True
    chats = get(url, "/chats", token)["data"]
    assert len(chats) == 12
    assert all(chat["message_count"] for chat in chats)
    folders = list(tmp_path.glob("quillium-demo-*"))
    assert len(folders) == 1
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 0
    assert not folders[0].exists()
    assert re.fullmatch(rf"{url}/#code=[0-9A-Za-z]{{22}}\n", (tmp_path / "opened").read_text())


# Dev


class Lines:
    """What a process says on stderr, read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(process.stderr,))
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)

    def end(self) -> None:
        self._thread.join()

    def until(self, words: str, meanwhile: Callable[[], object] = lambda: None) -> str:
        """The next line with these words; `meanwhile` is done again and again until it comes."""
        for _ in range(150):
            meanwhile()
            try:
                while True:
                    line = self._lines.get(timeout=0.2)
                    if words in line:
                        return line
            except queue.Empty:
                pass
        raise AssertionError(f"never said: {words}")

    def address(self, meanwhile: Callable[[], object] = lambda: None) -> str:
        line = self.until("listening on", meanwhile)
        return line.partition("listening on ")[2].partition(",")[0]


def rewrite(script: Path, text: str) -> None:
    """Change the program at once: one that is empty for a moment would start, and end well."""
    new = script.with_suffix(".new")
    new.write_text(text)
    new.replace(script)


def version(url: str) -> str:
    with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
        return str(json.load(answer)["version"])


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The program in a copy of the project, where it can be changed."""
    copy = tmp_path / "project"
    ignored = shutil.ignore_patterns(".*", "tests", "bench", "docs", "*.egg-info", "build")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy / "quillium.py"


def test_a_demo_that_restarts_leaves_no_folder(tmp_path: Path, launch: Any, script: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = launch("--dev", "--demo", "--port=0", script=script, env=environment)
    lines = Lines(process)
    source = script.read_text()
    first = lines.address()
    for number in range(2):
        assert lines.address(partial(rewrite, script, f"{source}\n# {number}")) != first
        assert len(list(tmp_path.glob("quillium-demo-*"))) == 1
    process.terminate()
    assert process.wait(timeout=15) == 0
    lines.end()
    assert list(tmp_path.glob("quillium-demo-*")) == []


def test_dev_restarts_when_the_code_changes(tmp_path: Path, launch: Any, script: Path) -> None:
    source = script.read_text()
    process = launch("--dev", "--port=0", f"--data-dir={tmp_path / 'data'}", script=script)
    lines = Lines(process)
    assert version(lines.address()) != "7.7.7"
    # Again and again, because what it does not watch yet when it begins counts as unchanged.
    lines.until("SyntaxError", lambda: rewrite(script, "this is no Python\n" + source))
    changed = source.replace('__version__ = "', '__version__ = "7.7.7"  # "')
    assert version(lines.address(lambda: rewrite(script, changed))) == "7.7.7"
    process.terminate()
    assert process.wait(timeout=15) == 0
    lines.end()


def test_dev_tells_why_code_does_not_load(tmp_path: Path, launch: Any, script: Path) -> None:
    """Also for a module that is imported when the log is already open."""
    module = script.parent / "services" / "uploads.py"
    source = module.read_text()
    rewrite(module, source + "\nthis is no Python\n")
    process = launch("--dev", "--port=0", f"--data-dir={tmp_path / 'data'}", script=script)
    lines = Lines(process)
    lines.until("SyntaxError")
    assert lines.address(lambda: rewrite(module, source))
    process.terminate()
    assert process.wait(timeout=15) == 0
    lines.end()


def test_dev_ends_without_a_word_of_its_watcher(tmp_path: Path, launch: Any) -> None:
    process = launch("--dev", "--port=0", f"--data-dir={tmp_path / 'data'}")
    assert "listening on" in read_line(process, process.stderr)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "tornado" not in errors


def test_dev_that_can_not_start_ends(tmp_path: Path, launch: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = ("--dev", "--host=127.0.0.1", f"--port={port}", f"--data-dir={tmp_path / 'data'}")
        process = launch(*flags)
        assert process.wait(timeout=15) == 2
        assert "Address already in use" in process.stderr.read()


# Accounts


def user(data: Path, *arguments: str, password: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "quillium.py"), "--bcrypt-cost=4", f"--data-dir={data}", "user",
         *arguments],
        input=password,
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("runs", [True, False], ids=["running", "stopped"])
def test_accounts(tmp_path: Path, start: Any, runs: bool) -> None:
    data = tmp_path / "data"
    program: Program = start()
    token = program.register()
    if not runs:
        program.stop()
    status, said, errors = user(data, "add", "bob@example.com", password=f"{PASSWORD}\n")
    assert (status, errors) == (0, "")
    assert said.startswith("bob@example.com  bob  since 20")
    assert said.endswith("The account was created.\n")
    assert user(data, "add", "bob@example.com", password=PASSWORD)[0] == 2
    refusal = user(data, "add", "eve@example.com", password="short")[2]
    assert refusal == "quillium: password: 5 characters, at least 8\n"
    assert user(data, "promote", "bob@example.com")[0] == 0
    _, said, _ = user(data, "list")
    assert [line.split()[0] for line in said.splitlines()] == ["ada@example.com", "bob@example.com"]
    assert all(line.endswith("admin") for line in said.splitlines())
    assert user(data, "passwd", "ada@example.com", password="another password")[0] == 0
    if runs:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            program.call("GET", "/api/v1/users/me", token=token)
    assert user(data, "delete", "bob@example.com")[0] == 0
    refusal = user(data, "delete", "bob@example.com")[2]
    assert refusal == "quillium: There is no such account as bob@example.com.\n"
    if not runs:
        program = start()
    body = {"email": "ada@example.com", "password": "another password"}
    assert program.call("POST", "/api/v1/auth/login", body)["access_token"]


def test_the_door_is_private_and_goes_with_the_server(tmp_path: Path, start: Any) -> None:
    program = start()
    door = tmp_path / "data" / "server.json"
    assert door.stat().st_mode & 0o777 == 0o600
    assert json.loads(door.read_text())["url"] == program.url
    program.process.kill()
    program.process.wait()
    assert door.exists()
    assert user(tmp_path / "data", "list")[1] == "There are no accounts.\n"
    assert not door.exists()


# Logs


def test_a_line_for_each_request_that_tells_no_secret(start: Any) -> None:
    program: Program = start()
    token = program.register("ada@example.com")
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    said = {"content": "words that are nobody else's"}
    program.call("POST", f"/api/v1/chats/{chat}/messages", said, token)
    program.call("GET", "/api/v1/chats?q=nobody", token=token)
    program.process.terminate()
    _, errors = program.process.communicate(timeout=15)
    lines = [json.loads(line) for line in errors.splitlines()]
    requests = [line for line in lines if line["logger"] == "quillium.access"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("POST", "/auth/register", 201),
        ("POST", "/chats", 201),
        ("POST", "/chats/{id}/messages", 201),
        ("GET", "/chats", 200),
    ]
    assert set(requests[1]) == {
        "time", "level", "logger", "message", "request_id", "user_id", "method", "route", "status",
        "milliseconds", "address",
    }  # fmt: skip
    assert requests[1]["user_id"].startswith("user_")
    for secret in (token, PASSWORD, "nobody"):
        assert secret not in errors


def test_a_log_for_a_terminal(start: Any) -> None:
    program: Program = start("--log-format=text")
    assert " INFO quillium: listening on " in program.first_line
    program.register()
    program.process.terminate()
    _, errors = program.process.communicate(timeout=15)
    assert " INFO quillium.access: 201 POST /auth/register " in errors


def test_a_folder_whose_server_is_not_ready(tmp_path: Path, start: Any) -> None:
    start()
    (tmp_path / "data" / "server.json").unlink()
    status, _, errors = user(tmp_path / "data", "list")
    assert status == 2
    assert errors == "quillium: the server that uses the data folder is not ready; try again\n"


def test_demo_takes_no_data_folder(start: Any) -> None:
    assert "remove --data-dir" in refused(start("--demo"))
