"""The key that signs tokens: whoever knows it can sign in as anybody."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

_BYTES = 32


class UnusableKey(Exception):
    """The key is weak, or other users of the machine may know it. The text says what to do."""


def create() -> bytes:
    """Return a new random key, in ASCII."""
    return secrets.token_hex(_BYTES).encode("ascii")


def read(path: Path, private_file: Path) -> bytes:
    """Read the key. Raises `UnusableKey` and `OSError`.

    `private_file` was created with mode 0600. If it has another mode now, the file system has no
    modes, and those of the key mean nothing.
    """
    remedy = "remove it to have a new one, which ends all sessions"
    if sys.platform != "win32":
        status = path.stat()
        if status.st_uid != os.geteuid():
            raise UnusableKey(f"the signing key {path} belongs to another user; {remedy}")
        if _is_open_to_others(path) and not _is_open_to_others(private_file):
            raise UnusableKey(
                f"other users can access the signing key {path}: run chmod 600 on it if nobody has"
                f" read it, or {remedy}"
            )
    key = path.read_bytes()
    if len(key) < _BYTES:
        raise UnusableKey(f"the signing key {path} is too short; {remedy}")
    return key


def _is_open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))
