"""The benchmarks run; `python -m bench` measures their figures on a quiet machine."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.program import ROOT

ROWS = 21


def test_a_smoke_run() -> None:
    command = [sys.executable, "-m", "bench", "--smoke"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    head, line, *rows = done.stdout.splitlines()
    assert (head, line) == ("| work | measured | wanted | |", "|---|---|---|---|")
    assert len(rows) == ROWS
    for row in rows:
        assert re.fullmatch(r"\| .+ \| \d+\.\d\d.* \| at (least|most) [\d.]+.* \| .+ \|", row), row
