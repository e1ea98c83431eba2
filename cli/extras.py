"""Installation hints for the optional extras."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOMS = Path(__file__).resolve().parent.parent


def install_hint(extra: str) -> str:
    """Return a sentence that explains how to install an extra of `setup.cfg`, such as `metrics`."""
    if getattr(sys, "frozen", False):
        return f"Build this program with it: python packaging/build.py --with {extra}"
    is_checkout = (_ROOMS / "setup.cfg").is_file()
    package = f"-e '{_ROOMS}[{extra}]'" if is_checkout else f"'quillium[{extra}]'"
    return f"Run: {sys.executable} -m pip install {package}"
