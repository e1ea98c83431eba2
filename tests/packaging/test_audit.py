"""The audit fails where it could not audit (docs/security.md, "Dependencies")."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT

SCRIPT = ROOT / "packaging" / "audit.py"
audit: dict[str, Any] = runpy.run_path(str(SCRIPT))

CLEAN = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
SKIPPED = {"dependencies": [*CLEAN["dependencies"], {"name": "b", "skip_reason": "not found"}]}
FOUND = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}
NPM_CLEAN: dict[str, Any] = {"auditReportVersion": 2, "vulnerabilities": {}}
NPM_FOUND = {
    "auditReportVersion": 2,
    "vulnerabilities": {"x": {"via": [{"title": "Runs a script"}, "y"]}},
}
NPM_UNREACHABLE = {"message": "405 Method Not Allowed", "statusCode": 405}


@pytest.mark.parametrize(
    ("python", "npm", "status", "allowed"),
    [
        (CLEAN, NPM_CLEAN, 0, 0),
        (SKIPPED, NPM_CLEAN, 2, 0),
        ({"dependencies": []}, NPM_CLEAN, 2, 0),  # nothing is not everything
        (None, NPM_CLEAN, 2, 0),
        (CLEAN, NPM_UNREACHABLE, 2, 0),
        (CLEAN, None, 2, 0),
        (FOUND, NPM_CLEAN, 1, 1),
        (CLEAN, NPM_FOUND, 1, 1),
        (FOUND, None, 1, 1),  # a vulnerability is told first
    ],
)
def test_the_status(python: Any, npm: Any, status: int, allowed: int) -> None:
    texts = ["Traceback" if given is None else json.dumps(given) for given in (python, npm)]
    results = [
        audit["python_result"](texts[0], "why", fallback=["ci.txt"]),
        audit["page_result"](texts[1], "why", {"x": "1.0"}),
    ]
    assert audit["status_of"](results, allows_unaudited=False) == status
    assert audit["status_of"](results, allows_unaudited=True) == allowed


def test_what_it_says() -> None:
    found = audit["page_result"](json.dumps(NPM_FOUND), "", {"x": "1.0"})
    assert "  VULNERABLE x 1.0: Runs a script" in found.lines()
    refused = audit["page_result"](json.dumps(NPM_UNREACHABLE), "", {"x": "1.0"})
    assert "  NOT AUDITED 1 (405 Method Not Allowed): x" in refused.lines()
    broken = audit["python_result"]("", "first\nNo module named pip_audit\n", ["ci.txt"])
    assert broken.reason == "No module named pip_audit"


def test_a_project_of_exactly_the_vendored_libraries() -> None:
    files = audit["npm_project"]({"@a/b": "1.2.3"})
    assert files["package.json"]["dependencies"] == {"@a/b": "1.2.3"}
    assert files["package-lock.json"]["packages"]["node_modules/@a/b"] == {"version": "1.2.3"}


def test_without_its_tools_it_fails(tmp_path: Path) -> None:
    """Run for real, with a pip-audit that finds no module and no npm."""
    (tmp_path / "pip_audit.py").write_text("raise SystemExit('no advisories in reach')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PATH": "/nowhere"}
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "NOT AUDITED 1 (no advisories in reach): ci.txt" in done.stdout
    assert "npm is missing" in done.stdout
    assert done.stdout.endswith("Nothing was audited. Use --allow-unaudited to accept that.\n")
    command.append("--allow-unaudited")
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0
    assert done.stdout.endswith("Nothing was audited.\n")
