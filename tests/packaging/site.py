"""Builds the documentation site."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT
from tests.snippets import block


def build(folder: Path) -> None:
    """Build the site in `folder`, with the documented command. Skip the test without Sphinx."""
    for module in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(module, reason="needs the dev extra")
    line = block("CONTRIBUTING.md", ".venv/bin/python -m sphinx").text
    _, *arguments, output = shlex.split(line)
    assert re.fullmatch(r"build/\w+", output)  # which git ignores
    command = [sys.executable, *arguments, "--keep-going", "-q", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
