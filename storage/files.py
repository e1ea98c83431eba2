"""Private files that appear whole or not at all, and that replace nothing by accident."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path


def create_private(path: Path) -> None:
    """Create the file if it does not exist. Its mode is 0600, whatever the umask.

    SQLite creates the log and the log's index with the mode of the database file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def create_new(path: Path) -> None:
    """Create a private file. Raises `FileExistsError`, also for a link that others planted."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    path.chmod(0o600)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk.

    Raises `OSError`.
    """
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders; its file systems keep names in a journal of their own
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wal_of(path: Path) -> Path:
    """Return the path of a database's write-ahead log: the commits since the last checkpoint."""
    return path.with_name(path.name + "-wal")


def shm_of(path: Path) -> Path:
    """Return the path of the log's index, which SQLite rebuilds when it is missing."""
    return path.with_name(path.name + "-shm")


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def partial_of(path: Path) -> Path:
    """Return the name that a file has until it is whole."""
    return path.with_name(path.name + ".partial")


def discard(path: Path) -> None:
    """Remove a file that is not needed any more, if it is there and can be removed."""
    with suppress(OSError):
        path.unlink()


def discard_database(path: Path) -> None:
    """Remove a database that is not needed any more, with what SQLite keeps beside it."""
    for suffix in ("-journal", "-wal", "-shm", ""):
        discard(path.with_name(path.name + suffix))


def write_private(path: Path, content: bytes) -> None:
    """Create or replace a file, mode 0600, in one step. A power cut leaves the old or the new.

    Raises `OSError`; then the file is as it was.
    """
    partial = partial_of(path)
    partial.unlink(missing_ok=True)
    try:
        create_new(partial)
        partial.write_bytes(content)
        sync(partial)
        os.replace(partial, path)
        sync(path.parent)
    finally:
        discard(partial)


def publish(partial: Path, target: Path) -> None:
    """Rename a whole file. Raises `FileExistsError` if the name is taken, and `OSError`."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # this file system has no hard links: reserve the name first
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.replace(partial, target)
    else:
        discard(partial)
    try:
        sync(target.parent)
    except OSError:
        discard(target)
        raise


def publish_numbered(partial: Path, target: Path, *, reuse_same: bool) -> Path:
    """Rename a whole file to the first free name of `numbered(target)`; return that name.

    With `reuse_same`, return the name of a file of the same content instead, if there is one.
    """
    for path in numbered(target):
        with suppress(FileExistsError):
            publish(partial, path)
            return path
        if reuse_same and filecmp.cmp(partial, path, shallow=False):
            return path
    raise AssertionError("numbered() ended")


def add_name(source: Path, target: Path) -> None:
    """Give a file another name, or copy it where the file system has no hard links.

    Raises `FileExistsError` if the name is taken, and `OSError`.
    """
    try:
        os.link(source.resolve(), target)
    except FileExistsError:
        raise
    except OSError:
        partial = partial_of(target)
        partial.unlink(missing_ok=True)
        try:
            create_new(partial)
            shutil.copyfile(source, partial)
            sync(partial)
            publish(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    sync(target.parent)


def numbered(path: Path) -> Iterator[Path]:
    """Yield `path`, `path-2`, `path-3`, … without end; of `name.db` also `name-2.db`."""
    yield path
    name, suffix = (path.stem, ".db") if path.suffix == ".db" else (path.name, "")
    for number in count(2):
        yield path.with_name(f"{name}-{number}{suffix}")
