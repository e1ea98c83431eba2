"""Private files: complete or absent, and never overwritten by accident."""

from __future__ import annotations

import errno
import os
import stat
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from storage import files


@pytest.fixture(autouse=True)
def open_umask() -> Any:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links."""

    def refuse(source: Any, target: Any) -> None:
        if Path(target).exists():
            raise FileExistsError(errno.EEXIST, "exists")
        raise OSError(errno.EPERM, "no hard links")

    monkeypatch.setattr(os, "link", refuse)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    for create in (files.create_private, files.create_new):
        path = tmp_path / create.__name__
        create(path)
        assert mode(path) == 0o600
        assert path.read_bytes() == b""


def test_a_file_that_was_open_becomes_private_and_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    path.chmod(0o644)
    files.create_private(path)
    assert (mode(path), path.read_text()) == (0o600, "kept")


def test_a_new_file_is_not_made_through_a_planted_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        files.create_new(tmp_path / "link")
    assert not (tmp_path / "victim").exists()


def test_the_names_beside_a_database() -> None:
    path = Path("/data/quillium.db")
    assert files.wal_of(path) == Path("/data/quillium.db-wal")
    assert files.shm_of(path) == Path("/data/quillium.db-shm")
    assert files.partial_of(path) == Path("/data/quillium.db.partial")


@pytest.mark.parametrize(
    ("name", "names"),
    [("a.db", ["a.db", "a-2.db", "a-3.db"]), ("a.old", ["a.old", "a.old-2", "a.old-3"])],
)
def test_numbered_names(name: str, names: list[str]) -> None:
    assert [path.name for path in islice(files.numbered(Path(name)), 3)] == names


def test_the_size_of_a_file_that_is_missing_is_zero(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"123")
    assert files.size_of(tmp_path / "file") == 3
    assert files.size_of(tmp_path / "none") == 0


def test_a_database_is_discarded_with_what_is_beside_it(tmp_path: Path) -> None:
    for name in ("a", "a-wal", "a-shm", "a-journal", "b"):
        (tmp_path / name).touch()
    files.discard_database(tmp_path / "a")
    assert os.listdir(tmp_path) == ["b"]
    files.discard(tmp_path / "a")  # is not there any more


def test_a_written_file_replaces_the_old_one_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    files.write_private(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    assert os.listdir(tmp_path) == ["key"]


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        files.write_private(path, b"new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["key"]


def test_content_is_on_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    sync, replace = files.sync, os.replace

    def note_sync(path: Path) -> None:
        calls.append(path.name)
        sync(path)

    def note_replace(source: Path, target: Path) -> None:
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(files, "sync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    files.write_private(tmp_path / "key", b"new")
    assert calls == ["key.partial", "replace", tmp_path.name]


def published(tmp_path: Path) -> None:
    partial, target = tmp_path / "a.partial", tmp_path / "a"
    partial.write_text("whole")
    files.publish(partial, target)
    assert target.read_text() == "whole"
    assert not partial.exists()
    partial.write_text("other")
    with pytest.raises(FileExistsError):
        files.publish(partial, target)
    assert target.read_text() == "whole"


def test_publishing_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    published(tmp_path)


def test_publishing_without_hard_links(tmp_path: Path, no_links: None) -> None:
    published(tmp_path)


def test_a_name_that_is_not_on_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.partial").write_text("whole")

    def fail(path: Path) -> None:
        raise OSError(errno.EIO, "disk")

    monkeypatch.setattr(files, "sync", fail)
    with pytest.raises(OSError, match="disk"):
        files.publish(tmp_path / "a.partial", tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("reuse_same", "content", "name"),
    [(True, "same", "a"), (False, "same", "a-2"), (True, "diff", "a-2")],
)
def test_publishing_under_a_number(
    tmp_path: Path, reuse_same: bool, content: str, name: str
) -> None:
    (tmp_path / "a").write_text("same")
    partial = tmp_path / "partial"
    partial.write_text(content)
    made = files.publish_numbered(partial, tmp_path / "a", reuse_same=reuse_same)
    assert made == tmp_path / name
    assert made.read_text() == content
    assert (tmp_path / "a").read_text() == "same"


def test_another_name_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    files.add_name(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")
    with pytest.raises(FileExistsError):
        files.add_name(tmp_path / "a", tmp_path / "b")


def test_another_name_without_hard_links_is_a_private_copy(tmp_path: Path, no_links: None) -> None:
    (tmp_path / "a").write_text("text")
    files.add_name(tmp_path / "a", tmp_path / "b")
    assert ((tmp_path / "b").read_text(), mode(tmp_path / "b")) == ("text", 0o600)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
