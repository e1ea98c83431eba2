"""Type checking: wrong calls are errors, and the code type-checks on every platform."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
# Without a cache, mypy reads the whole program first.
pytestmark = pytest.mark.timeout(300)
SAMPLES = sorted(Path(__file__).parent.glob("samples/*.py"))
_ERROR = re.compile(
    r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$", re.MULTILINE
)


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_wrong_calls_are_errors(sample: Path) -> None:
    expected = {
        (number, code)
        for number, line in enumerate(sample.read_text().splitlines(), 1)
        for code in re.findall(r"# E: ([a-z-]+)$", line)
    }
    checked = mypy(str(sample.relative_to(ROOT)))
    reported = {(int(m["line"]), m["code"]) for m in _ERROR.finditer(checked.stdout)}
    assert reported == expected, checked.stdout + checked.stderr


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_the_program_is_sound_on_every_platform(platform: str) -> None:
    checked = mypy("--platform", platform, "quillium.py", "packaging")
    assert checked.returncode == 0, checked.stdout + checked.stderr
