"""Deleted means gone (contract, section 6).

SQLite's `secure_delete` overwrites what is deleted, but two copies outlive it: words in the search
index, until its parts are merged, and cells that were moved to another page before they were
deleted. Both go when the index is optimised and the file is built anew. That costs about a second
for each 100 MB, so it is done once, at a clean stop, and only when something was deleted; triggers
note that (`migrations`).
"""

from __future__ import annotations

import logging

from storage.connection import Connection

log = logging.getLogger("quillium.storage")


def erase(connection: Connection) -> None:
    """Leave no trace of what was deleted. Raises `sqlite3.Error`; then it stays due."""
    if not connection.execute("SELECT is_due FROM erasure").fetchone()[0]:
        return
    log.info("erasing what was deleted")
    for index in ("messages_index", "titles_index"):
        connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
    connection.execute("VACUUM")
    connection.execute("UPDATE erasure SET is_due = 0")
