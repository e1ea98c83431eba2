"""Look up known vulnerabilities of everything that Quillium ships or is tested with.

    python packaging/audit.py [--allow-unaudited]

Reads the lock of CI, which contains the other locks, with pip-audit (the `dev` extra) and
`static/vendor/vendor.json` with npm. Exit status 0 if all packages were audited and none has a
known vulnerability, 1 if one has, and 2 if a package could not be audited. pip-audit alone reports
"No known vulnerabilities found" when it reached no advisories at all.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "locks" / "ci.txt"
VENDORED = ROOT / "static" / "vendor" / "vendor.json"
_SECONDS = 600  # for one tool


@dataclass
class Result:
    """The outcome of one tool."""

    what: str
    audited: list[str] = field(default_factory=list)
    vulnerable: list[str] = field(default_factory=list)  # with the ids of the advisories
    unaudited: list[str] = field(default_factory=list)
    reason: str = ""  # why packages are unaudited

    def lines(self) -> list[str]:
        lines = [f"{self.what}: {len(self.audited)} audited, {len(self.vulnerable)} vulnerable"]
        lines += [f"  VULNERABLE {found}" for found in self.vulnerable]
        if self.unaudited:
            names = ", ".join(self.unaudited)
            lines.append(f"  NOT AUDITED {len(self.unaudited)} ({self.reason}): {names}")
        return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Look up known vulnerabilities")
    parser.add_argument(
        "--allow-unaudited",
        action="store_true",
        help="succeed even if no advisories can be reached, and say so",
    )
    allows_unaudited = parser.parse_args().allow_unaudited
    results = [audit_python(LOCK), audit_page(VENDORED)]
    for result in results:
        print("\n".join(result.lines()))
    status = status_of(results, allows_unaudited=allows_unaudited)
    if any(result.unaudited for result in results):
        is_some = any(result.audited for result in results)
        hint = "" if allows_unaudited else " Use --allow-unaudited to accept that."
        print(f"{'Not everything' if is_some else 'Nothing'} was audited.{hint}")
    return status


def status_of(results: list[Result], *, allows_unaudited: bool) -> int:
    if any(result.vulnerable for result in results):
        return 1
    if allows_unaudited:
        return 0
    complete = all(result.audited and not result.unaudited for result in results)
    return 0 if complete else 2


def audit_python(lock: Path) -> Result:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes"]
    command += ["--disable-pip", "--progress-spinner=off", "--format=json"]
    return python_result(*_run(command, ROOT), fallback=[lock.name])


def python_result(output: str, errors: str, fallback: list[str]) -> Result:
    """Read the output of pip-audit. `fallback` is what is unaudited if it has none."""
    result = Result("Python packages")
    document = _parsed(output)
    if "dependencies" not in document:
        result.unaudited, result.reason = fallback, _last_line(errors)
        return result
    for package in document["dependencies"]:
        if "skip_reason" in package:
            result.unaudited.append(package["name"])
            result.reason = "no advisories for it"
            continue
        name = f"{package['name']} {package['version']}"
        result.audited.append(name)
        ids = [vulnerability["id"] for vulnerability in package["vulns"]]
        if ids:
            result.vulnerable.append(f"{name}: {', '.join(ids)}")
    return result


def audit_page(record: Path) -> Result:
    packages = {entry["library"]: entry["version"] for entry in json.loads(record.read_text())}
    npm = shutil.which("npm")
    if npm is None:
        return Result("Page libraries", unaudited=list(packages), reason="npm is missing")
    with tempfile.TemporaryDirectory() as folder:
        for name, document in npm_project(packages).items():
            Path(folder, name).write_text(json.dumps(document))
        return page_result(*_run([npm, "audit", "--json"], Path(folder)), packages)


def npm_project(packages: dict[str, str]) -> dict[str, Any]:
    """Return the files of a project that depends on exactly these packages, for `npm audit`."""
    project = {"name": "page", "version": "0.0.0", "dependencies": packages}
    installed = {f"node_modules/{name}": {"version": found} for name, found in packages.items()}
    lock = {"name": "page", "version": "0.0.0", "lockfileVersion": 3}
    return {
        "package.json": project,
        "package-lock.json": {**lock, "packages": {"": project, **installed}},
    }


def page_result(output: str, errors: str, packages: dict[str, str]) -> Result:
    """Read the output of `npm audit`."""
    result = Result("Page libraries")
    document = _parsed(output)
    if "auditReportVersion" not in document:
        result.unaudited = list(packages)
        result.reason = str(document.get("message", "")) or _last_line(errors)
        return result
    result.audited = [f"{name} {version}" for name, version in packages.items()]
    for name, found in document["vulnerabilities"].items():
        titles = [via["title"] for via in found["via"] if isinstance(via, dict)]
        result.vulnerable.append(f"{name} {packages.get(name, '')}: {'; '.join(titles)}")
    return result


def _run(command: list[str], folder: Path) -> tuple[str, str]:
    """Return stdout and stderr. The status is ignored: it is 1 for vulnerabilities and errors."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {_SECONDS} s"
    return done.stdout, done.stderr


def _parsed(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _last_line(errors: str) -> str:
    return (errors.strip().splitlines() or ["it printed nothing"])[-1]


if __name__ == "__main__":
    sys.exit(main())
