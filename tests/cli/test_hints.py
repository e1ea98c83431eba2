"""The flags and commands that are suggested for each error."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from assistant.model_file import DownloadFailed, InstallError
from cli import hints
from cli.hints import explain, hint, install_hint
from core.options import ConfigError, MissingExtra
from storage.folder import (
    DatabaseDamaged,
    DatabaseMissing,
    FolderError,
    FolderInUse,
    FolderUnusable,
)

OTHER_FOLDER = " (use --data-dir to choose another folder)"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigError("the reason"), ""),
        (FolderError("the reason"), ""),
        (FolderUnusable("the reason"), OTHER_FOLDER),
        (FolderInUse("the reason"), OTHER_FOLDER),
        (
            DatabaseDamaged("the reason"),
            f". Restore a backup: quillium restore FILE{OTHER_FOLDER}",
        ),
        (
            DatabaseMissing("the reason", can_start_without=False),
            ". Put it back, or restore a backup: quillium restore FILE",
        ),
        (
            DatabaseMissing("the reason", can_start_without=True),
            ". Put it back, restore a backup (quillium restore FILE), or start without it:"
            " --new-database",
        ),
        (
            DownloadFailed(Path("data/models/model.gguf")),
            f". Without pip, put the file model.gguf into the folder {Path('data/models')}, or use"
            " any other GGUF file: --local-model FILE",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_hint(error: Exception, expected: str) -> None:
    assert hint(error) == expected


def test_a_missing_extra_is_installed() -> None:
    assert hint(MissingExtra("metrics")) == f". {install_hint('metrics')}"


def test_in_a_checkout() -> None:
    root = Path(hints.__file__).resolve().parent.parent
    assert install_hint("local") == f"Run: {sys.executable} -m pip install -e '{root}[local]'"


def test_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hints, "_ROOMS", tmp_path)
    assert install_hint("local") == f"Run: {sys.executable} -m pip install 'quillium[local]'"


def test_in_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert install_hint("local").endswith("packaging/build.py --with local")


@pytest.mark.parametrize("kind", [ConfigError, FolderError, InstallError])
def test_expected_errors_are_one_line(kind: type[Exception]) -> None:
    assert explain(kind("the reason")) == "the reason"


def test_a_hint_follows_the_message() -> None:
    line = explain(FolderUnusable("it is full"))
    assert line == "it is full (use --data-dir to choose another folder)"


def test_errors_of_the_system() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/data/server.json")
    assert explain(error) == "No space left on device: /data/server.json"
    assert "ulimit -u" in explain(RuntimeError("can't start new thread"))


def test_a_missing_extra_says_how_to_install_it() -> None:
    line = explain(MissingExtra("metrics"))
    assert line.startswith("the metrics extra is not installed. Run: ")
    assert "[metrics]" in line


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
