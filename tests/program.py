"""The real program, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
DEADLINE_SECONDS = 30.0


def read_line(process: subprocess.Popen[str], stream: IO[str] | None) -> str:
    """Read a line that a process writes. A process that writes none is killed at the deadline."""
    assert stream is not None
    deadline = threading.Timer(DEADLINE_SECONDS, process.kill)
    deadline.start()
    try:
        return stream.readline()
    finally:
        deadline.cancel()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Program:
    """`python quillium.py` on a free port; `url` is known once it says that it listens."""

    def __init__(self, data_dir: Path, *flags: str, **environment: str) -> None:
        command = [sys.executable, str(ROOT / "quillium.py"), "--port=0", "--bcrypt-cost=4"]
        self.process = subprocess.Popen(
            [
                *command,
                f"--data-dir={data_dir}",
                "--check-responses",
                "--no-discovery",
                "--demo-pace=0",
                *flags,
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        line = read_line(self.process, self.process.stderr)
        while '"level": "WARNING"' in line:
            line = read_line(self.process, self.process.stderr)
        found = re.search(r"listening on (http://\S+),", line)
        self.url = found[1] if found else ""
        self.first_line = line

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            if token
            else {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read()
            return json.loads(answer) if answer else None

    def register(self, email: str = "ada@example.com") -> str:
        body = {"email": email, "password": "a good password"}
        token: str = self.call("POST", "/api/v1/auth/register", body)["access_token"]
        return token

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop the server; its exit status, and what it logged but for requests and sign-ins."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=15)
        usual = ('"route": ', '"logger": "quillium.security"')
        lines = [
            line
            for line in errors.splitlines(keepends=True)
            if not any(words in line for words in usual)
        ]
        return self.process.returncode, "".join(lines)


def refused(program: Program) -> str:
    """The one line that a program which can't start says."""
    _, errors = program.process.communicate(timeout=15)
    assert program.process.returncode == 2
    assert errors == ""
    assert program.first_line.startswith("quillium: ")
    return program.first_line


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python quillium.py` with a command, and wait for its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "quillium.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
