"""Build the search index in slices while the server runs, after a migration has reset it."""

from __future__ import annotations

from typing import NamedTuple

from storage.connection import Connection

SLICE_MESSAGES = 200  # of typical length: about 10 ms of the writer's time
_SLICE_CHARACTERS = 100_000


class Progress(NamedTuple):
    """The share of messages that are indexed, and whether the index is complete."""

    share: float
    is_complete: bool


def progress(connection: Connection) -> Progress:
    """Return the progress of the index."""
    (indexed_from,) = connection.execute("SELECT indexed_from FROM search_index").fetchone()
    (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM messages").fetchone()
    missing = connection.execute(
        "SELECT 1 FROM messages WHERE number < ? LIMIT 1", (indexed_from,)
    ).fetchone()
    return Progress(1 - (indexed_from - 1) / (last + 1), missing is None)


def extend(connection: Connection) -> Progress:
    """Index the newest messages that are not indexed yet, in order of their row ids."""
    rows = connection.execute(
        "SELECT number, user, content, status FROM messages"
        " WHERE number < (SELECT indexed_from FROM search_index) ORDER BY number DESC LIMIT ?",
        (SLICE_MESSAGES,),
    )
    added = []
    characters = 0
    for row in rows:
        added.append(row)
        characters += len(row[2])
        if characters > _SLICE_CHARACTERS:
            break
    connection.executemany(
        "INSERT INTO messages_index (rowid, owner, content) VALUES (?, ?, searchable(?))",
        [
            (number, f"u{user}", content)
            for number, user, content, status in reversed(added)
            if status != "streaming"  # a trigger indexes it when the reply ends
        ],
    )
    if added:
        connection.execute("UPDATE search_index SET indexed_from = ?", (added[-1][0],))
    return progress(connection)
