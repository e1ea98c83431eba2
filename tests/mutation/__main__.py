"""Apply mutations to the code one at a time, and check that a test fails for each.

`python -m tests.mutation --count 100` before a release. A mutant survives if no test fails: add the
missing test, unless the mutation doesn't change the behaviour.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant, sample

TIMEOUT_SECONDS = 300
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", "dist", "build", ".mypy_cache")
# Fast suites first; the first failure ends a mutant.
_STAGES = (
    ("tests/core", "tests/schemas", "tests/storage", "tests/services"),
    ("tests/web", "tests/handlers", "tests/assistant", "tests/cli"),
    ("tests/process", "tests/security"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    chosen = parser.parse_args()
    mutants = sample(chosen.seed, chosen.count)
    survivors = []
    with tempfile.TemporaryDirectory(prefix="quillium-mutation-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        for number, mutant in enumerate(mutants, 1):
            is_killed = _is_killed(copy, mutant)
            print(f"{number:4} {'killed  ' if is_killed else 'SURVIVED'} {mutant}", flush=True)
            if not is_killed:
                survivors.append(mutant)
    killed = len(mutants) - len(survivors)
    print(f"{killed} of {len(mutants)} mutants were killed ({killed / len(mutants):.0%}).")
    return 1 if survivors else 0


def _is_killed(copy: Path, mutant: Mutant) -> bool:
    file = copy / mutant.path
    source = file.read_text(encoding="utf-8")
    file.write_text(mutant.apply(source), encoding="utf-8")
    try:
        return any(_fails(copy, stage) for stage in _stages(copy, mutant))
    finally:
        file.write_text(source, encoding="utf-8")


def _stages(copy: Path, mutant: Mutant) -> Iterator[tuple[str, ...]]:
    room, module = Path(mutant.path).parent.name, Path(mutant.path).stem
    own = f"tests/{room}/test_{module}.py"
    if (copy / own).exists():
        yield (own,)
    for stage in _STAGES:
        yield tuple(path for path in stage if (copy / path).exists())


def _fails(copy: Path, paths: tuple[str, ...]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    try:
        run = subprocess.run(
            command, cwd=copy, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return run.returncode not in (0, 5)


if __name__ == "__main__":
    sys.exit(main())
