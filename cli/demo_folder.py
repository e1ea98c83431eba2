"""The temporary data folder of `--demo`."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.options import ConfigError
from storage import folder

PREFIX = "quillium-demo-"
_STARTING_SECONDS = 60.0  # a folder without a lock may belong to a demo that is starting


@contextmanager
def temporary() -> Iterator[Path]:
    """Create a data folder, and remove it on exit. Raises `ConfigError`."""
    parent = _parent()
    try:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise ConfigError(
            f"no temporary folder can be made in {parent}: {error.strerror}. Name another place in"
            " TMPDIR"
        ) from None
    try:
        yield path
    finally:
        remove(path)


def remove(path: Path) -> None:
    """Remove a folder as far as possible; the next start removes the rest."""
    shutil.rmtree(path, ignore_errors=True)


def sweep() -> None:
    """Remove the folders of killed demos.

    The system releases a lock when its process ends, so a folder whose lock is free is abandoned.
    Folders of other users are not touched.
    """
    with suppress(OSError):
        for path in _parent().glob(f"{PREFIX}*"):
            if _is_ours(path):
                _remove_if_abandoned(path)


def _parent() -> Path:
    """Return the system's folder for temporary files.

    Not `tempfile.gettempdir()`, which writes a test file: a server without `--demo` must not write
    outside its data folder.
    """
    for variable in ("TMPDIR", "TEMP", "TMP"):
        if os.environ.get(variable):
            return Path(os.environ[variable])
    return Path("/tmp")  # noqa: S108 `mkdtemp` makes a private folder in it


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    if sys.platform != "win32" and found.st_uid != os.getuid():
        return False
    return stat.S_ISDIR(found.st_mode)


def _remove_if_abandoned(path: Path) -> None:
    if not (path / folder.LOCK).exists():
        if time.time() - path.stat().st_mtime > _STARTING_SECONDS:
            remove(path)
        return
    with suppress(folder.FolderError):
        with folder.locked(path):
            remove(path)
        remove(path)  # Windows can't delete open files
