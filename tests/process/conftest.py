"""Starts the program with pipes, for tests of how it starts and how it ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.program import ROOT

FLAGS = ("--bcrypt-cost=4", "--no-discovery")


@pytest.fixture
def launch() -> Iterator[Any]:
    """Starts the program with pipes. Whatever happens, it does not outlive the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*flags: str, **more: Any) -> subprocess.Popen[str]:
        script = str(more.pop("script", ROOT / "quillium.py"))
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        command = [sys.executable, script, *FLAGS, *flags]
        process = subprocess.Popen(command, text=True, **{**pipes, **more})
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
