"""Helpers shared by the benchmarks: start the program as a child process, and call its API."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def start(command: list[str], pipe: str) -> tuple[subprocess.Popen[str], str]:
    """Start a server; return it and the address it prints on `pipe`, "stdout" or "stderr"."""
    process = subprocess.Popen(command, text=True, **{pipe: subprocess.PIPE})  # type: ignore[call-overload]
    line = getattr(process, pipe).readline()
    found = re.search(r"listening on (http://\S+),", line)
    assert found, line
    return process, found[1]


def start_quillium(data_dir: Path, *flags: str) -> tuple[subprocess.Popen[str], str]:
    """Start Quillium on a free port; return its process and address."""
    command = [sys.executable, str(ROOT / "quillium.py"), "--port=0", "--no-discovery"]
    return start([*command, f"--data-dir={data_dir}", *flags], "stderr")


def start_sidecar(data_dir: Path | None, *flags: str, **environment: str) -> tuple[Any, str]:
    """Start Quillium as a sidecar whose log nobody keeps; return its process and address.

    Without a folder, `flags` say where the data is.
    """
    command = [sys.executable, str(ROOT / "quillium.py"), "--sidecar", "--no-discovery"]
    process = subprocess.Popen(
        [*command, *([f"--data-dir={data_dir}"] if data_dir else []), *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


def free_port() -> int:
    """Return a port that is currently free."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def memory(pid: int) -> int:
    """Return the memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def call(url: str, method: str, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url + path, method=method, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read() or "null")


def account(url: str) -> str:
    """Create the first account and remove the rate limit; return the access token."""
    body = {"email": "bench@example.com", "password": "a good password"}
    token: str = call(url, "POST", "/api/v1/auth/register", body)["access_token"]
    call(url, "PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
    return token
