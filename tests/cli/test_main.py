"""What a start imports. `test_hints.py` has how its errors are explained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OF_A_SERVER = ["assistant", "handlers", "services", "sqlite3", "storage", "tornado", "web"]
OF_LATER_USE = ["assistant.demo_conversation", "assistant.recorder", "assistant.replay"]
OF_LATER_USE += ["cli.commands", "cli.dev", "jsonschema", "sqlite_utils"]


def imported(module: str) -> set[str]:
    """Return the modules that the import of `module` loads in a new process."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [("cli.main", OF_A_SERVER), ("cli.serve", OF_LATER_USE)],
)
def test_a_start_imports_only_what_it_needs(module: str, unneeded: list[str]) -> None:
    loaded = imported(module)
    assert module in loaded
    assert not loaded & set(unneeded)
