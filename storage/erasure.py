"""Deleted means gone (contract, section 6).

SQLite's `secure_delete` overwrites deleted content, but two kinds of copies remain: words in the
search index until its segments are merged, and cells that moved to another page before they were
deleted. Optimizing the index and rebuilding the file removes both. That takes about a second for
each 100 MB, so it happens once, at a clean stop, and only if something was deleted. Triggers record
that (`migrations`).
"""

from __future__ import annotations

import logging

from storage.connection import Connection

log = logging.getLogger("quillium.storage")


def erase(connection: Connection) -> None:
    """Remove every trace of deleted content. Raises `sqlite3.Error`; the erasure stays pending."""
    if not connection.execute("SELECT is_due FROM erasure").fetchone()[0]:
        return
    log.info("erasing deleted content from the database file")
    connection.execute("DELETE FROM chats WHERE number IN (SELECT chat FROM hidden_chats)")
    connection.execute("DELETE FROM files WHERE user IS NULL")
    for index in ("messages_index", "titles_index"):
        connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
    connection.execute("VACUUM")
    connection.execute("UPDATE erasure SET is_due = 0")
