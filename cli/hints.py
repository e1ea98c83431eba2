"""What users can do about an error: the flags and commands that lower rooms don't know."""

from __future__ import annotations

import sys
from pathlib import Path

from assistant.model_file import DownloadFailed, InstallError
from cli import streams
from core.options import ConfigError, MissingExtra
from storage.folder import DatabaseDamaged, DatabaseMissing, FolderError, FolderUnusable

_ROOMS = Path(__file__).resolve().parent.parent


_RESTORE = "quillium restore FILE"
_OTHER_FOLDER = " (use --data-dir to choose another folder)"


def explain(error: Exception) -> str:
    """Return the line that explains an error to the user. Reraises an unexpected error."""
    if isinstance(error, (ConfigError, FolderError, InstallError)):
        return f"{error}{hint(error)}"
    if isinstance(error, OSError):
        return streams.describe(error)
    if "can't start new thread" in str(error):
        return "this user has reached the system's thread limit (ulimit -u)"
    raise error


def hint(error: Exception) -> str:
    """Return the text to append to an error's message; empty if the message is enough."""
    match error:
        case MissingExtra():
            return f". {install_hint(error.extra)}"
        case DatabaseMissing(can_start_without=True):
            return (
                f". Put it back, restore a backup ({_RESTORE}), or start without it: --new-database"
            )
        case DatabaseMissing():
            return f". Put it back, or restore a backup: {_RESTORE}"
        case DatabaseDamaged():
            return f". Restore a backup: {_RESTORE}{_OTHER_FOLDER}"
        case FolderUnusable():
            return _OTHER_FOLDER
        case DownloadFailed():
            return (
                f". Without pip, put the file {error.target.name} into the folder"
                f" {error.target.parent}, or use any other GGUF file: --local-model FILE"
            )
    return ""


def install_hint(extra: str) -> str:
    """Return a sentence that explains how to install an extra of `setup.cfg`, such as `metrics`."""
    if getattr(sys, "frozen", False):
        return f"Build this program with it: python packaging/build.py --with {extra}"
    is_checkout = (_ROOMS / "setup.cfg").is_file()
    package = f"-e '{_ROOMS}[{extra}]'" if is_checkout else f"'quillium[{extra}]'"
    return f"Run: {sys.executable} -m pip install {package}"
