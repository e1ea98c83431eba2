"""The signing key: long, random, private, and kept when it is replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.times import CalendarTime
from core.tokens import PreviousKey
from storage import files, signing_key
from storage.signing_key import UnusableKey


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "secret.key"
    files.write_private(path, b"k" * 64)
    return path


def test_a_new_key_is_random_and_in_ascii() -> None:
    key = signing_key.create()
    assert len(key) == 64
    assert int(key, 16)
    assert key != signing_key.create()


def test_a_key_is_read_as_it_was_written(key: Path) -> None:
    assert signing_key.read(key) == b"k" * 64
    assert os.listdir(key.parent) == [key.name]  # the probe is gone


@pytest.mark.parametrize("length", [31, 0])
def test_a_short_key_is_refused(key: Path, length: int) -> None:
    files.write_private(key, b"k" * 32)
    assert signing_key.read(key) == b"k" * 32
    files.write_private(key, b"k" * length)
    with pytest.raises(UnusableKey, match="too short"):
        signing_key.read(key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o602])
def test_a_key_that_others_can_access_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(UnusableKey, match=r"chmod 600"):
        signing_key.read(key)


def test_a_rotation_keeps_the_old_key_with_its_time(key: Path, tmp_path: Path) -> None:
    previous = tmp_path / "previous.key"
    assert signing_key.read_previous(previous) is None
    signing_key.rotate(key, previous, CalendarTime(1_700_000_000.9))
    assert signing_key.read_previous(previous) == PreviousKey(b"k" * 64, 1_700_000_000)
    assert signing_key.read(key) != b"k" * 64
    assert previous.stat().st_mode & 0o077 == 0


def test_the_old_key_stays_the_current_one_until_it_is_kept(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    write = files.write_private

    def note(path: Path, content: bytes) -> None:
        written.append(path)
        write(path, content)

    monkeypatch.setattr(files, "write_private", note)
    signing_key.rotate(key, tmp_path / "previous.key", CalendarTime(1.0))
    assert written == [tmp_path / "previous.key", key]


@pytest.mark.parametrize("content", [b"k" * 64, b"then " + b"k" * 64])
def test_a_previous_key_without_a_time_is_refused(tmp_path: Path, content: bytes) -> None:
    files.write_private(tmp_path / "previous.key", content)
    with pytest.raises(UnusableKey, match="holds no signing key"):
        signing_key.read_previous(tmp_path / "previous.key")
