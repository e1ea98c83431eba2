"""The lock of a data folder: one server at a time, until its process ends.

The lock is a separate, exclusively locked SQLite file, because SQLite can lock files on every
platform.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from storage.files import create_private

LOCK = "quillium.lock"


class FolderError(Exception):
    """The folder can't be used. The message is the one line that the user sees."""


class FolderUnusable(FolderError):
    """The folder itself is unusable; choosing another one would help."""


class FolderInUse(FolderUnusable):
    """Another server is using the folder."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Lock the folder while the block runs; create the folder if it is missing.

    What was created, and has nothing in it but the lock at the end, is removed: a start that fails
    leaves nothing. Raises `FolderError` and `FolderInUse`.
    """
    try:
        created = [new for new in (path / LOCK, path, *path.parents) if not new.exists()]
        if path in created:  # an existing folder keeps its mode: it may be a home directory
            path.mkdir(parents=True)
            path.chmod(0o700)
        create_private(path / LOCK)
        file = (path / LOCK).stat().st_ino
    except OSError as error:
        raise unusable(path, reason_of(path, error)) from None
    with ExitStack() as resources:
        resources.callback(_remove_empty, created[1:] if path / LOCK in created else ())
        try:
            lock = sqlite3.connect(path / LOCK, timeout=0, isolation_level=None)
            resources.callback(lock.close)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or not _is_file(path / LOCK, file):
                raise FolderInUse(
                    f"another server is using the data folder {path}; stop it first"
                ) from None
            raise unusable(path, str(error)) from None
        if not _is_file(path / LOCK, file):  # a start that failed has removed it meanwhile
            raise FolderInUse(f"another server has just used the data folder {path}; try again")
        if path / LOCK in created:
            resources.callback(_remove_lock, path)  # while it is locked
        yield


def _is_file(path: Path, number: int) -> bool:
    """Return whether a path is still that of the file with this inode number."""
    try:
        return path.stat().st_ino == number
    except OSError:
        return False


def _remove_lock(path: Path) -> None:
    """Remove the lock of a folder that has nothing else. Windows keeps it, because it is open."""
    with suppress(OSError):
        if {file.name for file in path.iterdir()} <= {LOCK, f"{LOCK}-journal"}:
            (path / LOCK).unlink()


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, up to one that has anything in it."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def unusable(path: Path, why: str) -> FolderUnusable:
    return FolderUnusable(f"the data folder {path} can't be used: {why}")


def reason_of(path: Path, error: OSError) -> str:
    """Return why a folder can't be used; for one of another user, such as a volume, whose it is."""
    text = text_of(error)
    if sys.platform != "win32" and isinstance(error, PermissionError):
        with suppress(OSError):
            owner, user = path.stat().st_uid, os.geteuid()
            if owner != user:
                text += f". It belongs to user {owner}, and Quillium runs as user {user}"
    return text


def text_of(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
