"""The key that signs tokens. Anyone who has it can sign in as any user."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

from core.times import CalendarTime
from core.tokens import PreviousKey
from storage import files

_BYTES = 32


class UnusableKey(Exception):
    """The key is weak, or other users of the machine may have read it.

    The message says what to do.
    """


def create() -> bytes:
    """Return a new random key, in ASCII."""
    return secrets.token_hex(_BYTES).encode("ascii")


def read(path: Path) -> bytes:
    """Read the key. Raises `UnusableKey` and `OSError`."""
    remedy = "remove it to create a new one, which ends all sessions"
    if sys.platform != "win32":
        status, private = path.stat(), _private_file_beside(path)
        if status.st_uid not in (os.geteuid(), private.st_uid):
            raise UnusableKey(f"the signing key {path} belongs to another user; {remedy}")
        if _is_open_to_others(status) and not _is_open_to_others(private):
            raise UnusableKey(
                f"other users can access the signing key {path}: run chmod 600 on it if nobody has"
                f" read it, or {remedy}"
            )
    key = path.read_bytes()
    if len(key) < _BYTES:
        raise UnusableKey(f"the signing key {path} is too short; {remedy}")
    return key


def rotate(path: Path, previous_path: Path, now: CalendarTime) -> None:
    """Replace the key, and keep the old one with the time of its replacement.

    If the process is killed in between, the old key stays current. Raises `UnusableKey` and
    `OSError`.
    """
    old = read(path)
    files.write_private(previous_path, b"%d %s" % (int(now), old))
    files.write_private(path, create())


def read_previous(path: Path) -> PreviousKey | None:
    """Return the key before the last rotation, if any. Raises `UnusableKey` and `OSError`."""
    if not files.size_of(path):
        return None
    replaced_at, separator, secret = read(path).partition(b" ")
    if not separator or not replaced_at.isdigit():
        raise UnusableKey(f"{path} holds no signing key; remove it")
    return PreviousKey(secret, int(replaced_at))


def _private_file_beside(path: Path) -> os.stat_result:
    """Return the status of a new private file, as this file system reports it.

    File systems such as exFAT have no modes or owners and report the same ones for all files.
    """
    probe = files.partial_of(path)
    files.discard(probe)
    try:
        files.create_new(probe)
        return probe.stat()
    finally:
        files.discard(probe)


def _is_open_to_others(file: os.stat_result) -> bool:
    return bool(file.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
