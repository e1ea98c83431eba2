"""How to install an extra: in a checkout, an installation and a bundle."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli import extras
from cli.extras import install_hint


def test_in_a_checkout() -> None:
    root = Path(extras.__file__).resolve().parent.parent
    assert install_hint("local") == f"Run: {sys.executable} -m pip install -e '{root}[local]'"


def test_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "_ROOMS", tmp_path)
    assert install_hint("local") == f"Run: {sys.executable} -m pip install 'quillium[local]'"


def test_in_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert install_hint("local").endswith("packaging/build.py --with local")
