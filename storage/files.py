"""Create private files atomically, and never overwrite a file by accident."""

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
    """Wait until a file's content, or a folder's directory entries, are on disk.

    Raises `OSError`.
    """
    if os.name == "nt" and path.is_dir():
        return  # Windows can't open folders; its file systems journal directory entries themselves
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wal_of(path: Path) -> Path:
    """Return the path of a database's write-ahead log: the commits since the last checkpoint."""
    return path.with_name(path.name + "-wal")


def shm_of(path: Path) -> Path:
    """Return the path of the log's shared-memory index, which SQLite rebuilds if missing."""
    return path.with_name(path.name + "-shm")


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def partial_of(path: Path) -> Path:
    """Return the temporary name that a file has until it is complete."""
    return path.with_name(path.name + ".partial")


def discard(path: Path) -> None:
    """Remove a file that is no longer needed. Ignores a missing file and `OSError`."""
    with suppress(OSError):
        path.unlink()


def discard_database(path: Path) -> None:
    """Remove a database that is no longer needed, with its log and the log's index."""
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
    """Rename a complete file. Raises `FileExistsError` if the name is taken, and `OSError`."""
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
    """Rename a complete file to the first free name of `numbered(target)`; return that name.

    With `reuse_same`, return the name of an existing file with the same content instead, if any.
    """
    for path in numbered(target):
        with suppress(FileExistsError):
            publish(partial, path)
            return path
        if reuse_same and filecmp.cmp(partial, path, shallow=False):
            return path
    raise AssertionError("numbered() ended")


def add_name(source: Path, target: Path) -> None:
    """Add a hard link to a file, or copy it if the file system has no hard links.

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
    """Yield `path`, `path-2`, `path-3`, … without end; `name.db` becomes `name-2.db`."""
    yield path
    name, suffix = (path.stem, ".db") if path.suffix == ".db" else (path.name, "")
    for number in count(2):
        yield path.with_name(f"{name}-{number}{suffix}")
