"""The lock of a data folder, and what a start that fails leaves of it."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from storage import folder_lock


def refuse(path: Path) -> NoReturn:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_one_at_a_time(tmp_path: Path) -> None:
    with folder_lock.held(tmp_path / "new"):
        with pytest.raises(folder_lock.FolderInUse), folder_lock.held(tmp_path / "new"):
            pass
        (tmp_path / "new" / "quillium.db").touch()
    with folder_lock.held(tmp_path / "new"):
        pass


def test_what_stays_empty_is_removed(tmp_path: Path) -> None:
    new = tmp_path / "a" / "b"
    with folder_lock.held(new):
        assert (new / folder_lock.LOCK).exists()
    assert list(tmp_path.iterdir()) == []
    there = tmp_path / "there"
    there.mkdir()
    with folder_lock.held(there):
        pass
    assert list(there.iterdir()) == []
    with folder_lock.held(new):
        (new.parent / "other").touch()
    assert [path.name for path in tmp_path.rglob("*")].count("other") == 1
    assert not new.exists()


@pytest.mark.parametrize("name", ["quillium.db", "notes.txt"])
def test_what_holds_anything_stays(tmp_path: Path, name: str) -> None:
    new = tmp_path / "new"
    with folder_lock.held(new):
        (new / name).touch()
    assert {file.name for file in new.iterdir()} == {name, folder_lock.LOCK}


def test_a_lock_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / folder_lock.LOCK).touch()
    with folder_lock.held(tmp_path):
        pass
    assert [file.name for file in tmp_path.iterdir()] == [folder_lock.LOCK]


def test_a_folder_that_may_not_be_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(folder_lock.FolderUnusable, match="Permission"), folder_lock.held(tmp_path):
        pass


@pytest.mark.parametrize("has_new_one", [True, False])
def test_a_lock_that_another_start_removed_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_new_one: bool
) -> None:
    connect = sqlite3.connect

    def removed(path: Path, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(path, **options)
        connection.execute("SELECT 1")
        path.rename(path.with_name("away"))
        if has_new_one:
            path.touch()
        return connection

    monkeypatch.setattr(sqlite3, "connect", removed)
    with pytest.raises(folder_lock.FolderInUse), folder_lock.held(tmp_path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user ids")
def test_a_folder_of_another_user_says_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the volume of a container."""
    monkeypatch.setattr(folder_lock, "create_private", refuse)
    owner = tmp_path.stat().st_uid
    for user, expected in (
        (owner, ""),
        (10001, f". It belongs to user {owner}, and Quillium runs"),
    ):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        with pytest.raises(folder_lock.FolderUnusable) as raised, folder_lock.held(tmp_path):
            pass
        reason = str(raised.value).partition("Permission denied")[2]
        assert reason.startswith(expected)
        assert bool(reason) == bool(expected)
