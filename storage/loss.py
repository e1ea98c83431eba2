"""Detect that a data folder has lost its database, or the log with the last commits.

SQLite would create an empty database, or open an older state, without an error, and the next person
to register would become the admin. So these checks run before SQLite opens any file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import log_guard, maintenance
from storage.files import size_of, wal_of

_SAME_START = timedelta(minutes=10)  # a first start creates both within this time


def find(database: Path, key: Path) -> str | None:
    """Return what is missing, as the start of a sentence; None if nothing is missing."""
    log = wal_of(database)
    if size_of(database):
        if log_guard.is_log_missing(database):
            return f"the log {log} is missing: it held the most recent changes"
        return None
    state = "is empty" if database.exists() else "is missing"
    if size_of(log):
        return f"the database {database} {state}, but its log is there"
    if size_of(key):
        return f"the database {database} {state}, but its signing key is there"
    if any(database.parent.glob(f"{database.name}.replaced-*")):
        return f"the database {database} {state}, but a restore has kept an older one"
    return None


def find_accounts(database: Path, key: Path, users: int) -> list[str]:
    """Return a problem if the accounts of an earlier database are missing. Raises `Unusable`."""
    if users or not size_of(key):
        return []
    created = maintenance.created_at(database)
    key_created = datetime.fromtimestamp(key.stat().st_mtime, UTC)
    if created - key_created < _SAME_START:
        return []
    return [
        f"accounts: there are none, and the signing key (of {key_created:%Y-%m-%d %H:%M} UTC) is"
        f" older than the database (of {created:%Y-%m-%d %H:%M} UTC): an earlier one is missing"
    ]
