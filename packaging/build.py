"""Build Quillium as a folder that runs on machines without Python, for desktop applications.

    python packaging/build.py

The folder is `dist/quillium`; run `dist/quillium/quillium --sidecar`. It runs on the operating
system and processor architecture it was built on. `sbom.cdx.json` and `licences.txt` in it list
what it contains. docs/desktop.md explains how to ship it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import sys
from pathlib import Path

import sbom

ROOT = Path(__file__).resolve().parent.parent
DATA = ("docs", "static", "schemas")  # next to the code, which expects them there
EXTRAS = {"local": "xllamacpp", "metrics": "prometheus_client"}  # excluded unless requested


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Build dist/quillium, a folder that runs without Python"
    )
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="output folder")
    parser.add_argument(
        "--with", dest="extras", action="append", choices=EXTRAS, default=[], help="an extra"
    )
    chosen = parser.parse_args()
    for module in ("PyInstaller", *(EXTRAS[extra] for extra in chosen.extras)):
        if importlib.util.find_spec(module) is None:
            wanted = ",".join(["bundle", *chosen.extras])
            print(f"{module} is missing: .venv/bin/pip install -e '.[{wanted}]'", file=sys.stderr)
            return 2
    left_out = [module for extra, module in EXTRAS.items() if extra not in chosen.extras]
    left_out.append("pypdf")  # its process needs a Python that can be started
    from PyInstaller.__main__ import run

    work = chosen.to / "build"
    options = [
        "--noconfirm",
        "--clean",
        "--log-level=WARN",
        "--onedir",  # one file would run as two processes; killing one would orphan the other
        "--name=quillium",
        f"--distpath={chosen.to}",
        f"--workpath={work}",
        f"--specpath={work}",
        *(f"--add-data={ROOT / name}{os.pathsep}{name}" for name in DATA),
        f"--add-data={ROOT / 'core' / 'common_passwords.txt'}{os.pathsep}core",
        *(f"--exclude-module={module}" for module in left_out),
        str(ROOT / "quillium.py"),
    ]
    run(options)
    folder = chosen.to / "quillium"
    for name in sbom.write(folder, work, _version()):
        print(f"The licence of {name} has no text: look for it before you ship.", file=sys.stderr)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder} is built: {size / 1e6:.0f} MB.")
    return 0


def _version() -> str:
    found = re.search(r'^__version__ = "(.+)"', (ROOT / "quillium.py").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
