"""Limits on stored content: a quota for each account, and a reserve on the disk.

Every write that adds content calls `check` in its transaction, before it stores anything. What
frees space, and what nobody can do without (login, refresh, logout), never calls it and so works on
a disk that users have filled.
"""

from __future__ import annotations

import os
from pathlib import Path

from core import fairness
from core.errors import QuotaExceeded, StorageUnavailable
from storage.connection import Connection

_LIMIT = (
    "SELECT u.storage_bytes, ifnull((SELECT document ->> '$.storage_per_user_mib'"
    " FROM server_settings), ?) FROM users u WHERE u.number = ?"
)


def check(connection: Connection, user: int, added: int) -> None:
    """Check that a user may store `added` more bytes of content.

    `user` is the row id. What counts is `users.storage_bytes`, which triggers maintain: a table
    with content of its own needs triggers like those of `messages`, and no other code. A limit of 0
    is none. Raises `QuotaExceeded`, and `StorageUnavailable` if the disk is nearly full.
    """
    row = connection.execute(_LIMIT, (fairness.STORAGE_MIB_EACH, user)).fetchone()
    if row is not None and row[1] and row[0] + added > row[1] << 20:
        raise QuotaExceeded(
            f"This account may store {row[1]:,} MiB."
            " Delete chats, or ask an administrator for more."
        )
    _check_disk(connection)


def _check_disk(connection: Connection) -> None:
    """Raise `StorageUnavailable` if less than the reserve is free. Takes a few microseconds."""
    if not hasattr(os, "statvfs"):  # Windows; SQLite reports a full disk there
        return
    file = connection.execute("PRAGMA database_list").fetchone()[2]
    try:
        disk = os.statvfs(Path(file).parent)
    except OSError:
        return  # the write itself reports it
    reserve = min(fairness.DISK_RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 20)
    if disk.f_bavail * disk.f_frsize < reserve:
        raise StorageUnavailable("The disk is nearly full; nothing was stored.")
