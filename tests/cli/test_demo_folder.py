"""The temporary folder of a demo: removed at exit, or at the next start."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cli import demo_folder
from core.options import ConfigError
from storage import folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def make_older(path: Path) -> None:
    past = time.time() - 3600
    os.utime(path, (past, past))


def test_it_is_private_and_goes_at_the_end(place: Path) -> None:
    with demo_folder.temporary() as path:
        assert path.parent == place
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "quillium.db").write_text("x")
    assert not path.exists()


def test_the_sweep_takes_abandoned_folders_alone(place: Path) -> None:
    with demo_folder.temporary() as used, folder.locked(used):
        names = ("abandoned", "just-made", "half-made")
        abandoned, just_made, half_made = (place / f"{demo_folder.PREFIX}{n}" for n in names)
        for path in (abandoned, just_made, half_made):
            path.mkdir()
        (abandoned / folder.LOCK).touch()
        (abandoned / "quillium.db").touch()
        make_older(half_made)
        file, link = place / f"{demo_folder.PREFIX}file", place / f"{demo_folder.PREFIX}link"
        file.touch()
        link.symlink_to(half_made)
        demo_folder.sweep()
        assert {path.name for path in place.iterdir()} == {
            used.name, just_made.name, file.name, link.name
        }  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder away")
def test_the_sweep_leaves_other_users_alone(place: Path) -> None:
    theirs = place / f"{demo_folder.PREFIX}theirs"
    theirs.mkdir()
    os.chown(theirs, 54321, 54321)
    make_older(theirs)
    demo_folder.sweep()
    assert theirs.exists()


def test_a_place_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere/at/all")
    demo_folder.sweep()
    with pytest.raises(ConfigError, match="no temporary folder can be made in /nowhere/at/all"):
        demo_folder.temporary().__enter__()
