"""How start-up errors are explained (tests/process/test_refusals.py provokes real ones)."""

from __future__ import annotations

import errno

import pytest

from assistant.model_file import InstallError
from cli.main import _explain
from core.options import ConfigError, MissingExtra
from storage.folder import FolderError, FolderUnusable


@pytest.mark.parametrize("kind", [ConfigError, FolderError, InstallError])
def test_expected_errors_are_one_line(kind: type[Exception]) -> None:
    assert _explain(kind("the reason")) == "the reason"


def test_a_hint_follows_the_message() -> None:
    line = _explain(FolderUnusable("it is full"))
    assert line == "it is full (use --data-dir to choose another folder)"


def test_errors_of_the_system() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/data/server.json")
    assert _explain(error) == "No space left on device: /data/server.json"
    assert "ulimit -u" in _explain(RuntimeError("can't start new thread"))


def test_a_missing_extra_says_how_to_install_it() -> None:
    line = _explain(MissingExtra("metrics"))
    assert line.startswith("the metrics extra is not installed. Run: ")
    assert "[metrics]" in line


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        _explain(ZeroDivisionError())
