"""Uploaded files: stored in pieces, attached to messages, and removed in slices.

A file belongs to a user until it is removed; then its row has no user, nobody can find it, and
`remove_slice` deletes its pieces. A file without a content type is not complete. Triggers keep
`use_count`, the number of messages that a file is attached to, and give up a file when the last of
them is deleted (`migrations`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import Conflict, NotFound
from core.records import File
from storage import quota
from storage.connection import Connection
from storage.hidden_chats import SLICE_SECONDS

PIECE_BYTES = 1 << 18
UNUSED_HOURS = 24  # of uptime, until a file that is attached to nothing is removed

_STORED = (
    "SELECT number, id, name, content_type, size, created_at FROM files"
    " WHERE user = ? AND content_type IS NOT NULL"
)
# Not if only chats have it that are being removed in slices.
_VISIBLE = (
    f"{_STORED} AND (use_count = 0 OR EXISTS (SELECT 1 FROM attachments a"
    " JOIN messages m ON m.number = a.message WHERE a.file = files.number"
    " AND m.chat NOT IN (SELECT chat FROM hidden_chats)))"
)


class NewFile(NamedTuple):
    id: str
    name: str
    created_at: str


class Stored(NamedTuple):
    """A file and its row id."""

    row_id: int
    file: File


def append(connection: Connection, user: int, new: NewFile, content: bytes) -> int:
    """Store the next piece of a file; the first one creates it. Return its row id.

    Raises `QuotaExceeded`, `StorageUnavailable`, and `NotFound` if the file was given up.
    """
    quota.check(connection, user, len(content))
    row = connection.execute("SELECT number, user FROM files WHERE id = ?", (new.id,)).fetchone()
    if row is None:
        number = _create(connection, user, new)
    else:
        number = row[0]
        if row[1] is None:
            raise NotFound("file")
    _append(connection, number, content)
    return number


def _create(connection: Connection, user: int, new: NewFile) -> int:
    number = connection.execute(
        "INSERT INTO files (id, user, name, created_at) VALUES (?, ?, ?, ?)",
        (new.id, user, new.name, new.created_at),
    ).lastrowid
    assert number is not None
    return number


def _append(connection: Connection, number: int, content: bytes) -> None:
    connection.execute(
        "INSERT INTO file_pieces (file, position, content) SELECT ?, COUNT(*), ?"
        " FROM file_pieces WHERE file = ?",
        (number, content, number),
    )
    connection.execute("UPDATE files SET size = size + ? WHERE number = ?", (len(content), number))


def complete(
    connection: Connection, user: int, new: NewFile, last: bytes, content_type: str
) -> File:
    """Store the last piece of a file and make the file visible. Raises what `append` raises."""
    if last:
        append(connection, user, new, last)
    connection.execute("UPDATE files SET content_type = ? WHERE id = ?", (content_type, new.id))
    return find(connection, user, new.id).file


def add(connection: Connection, user: int, new: NewFile, content: bytes, content_type: str) -> None:
    """Store a whole file. Raises `sqlite3.IntegrityError` if its id exists, and `QuotaExceeded`."""
    quota.check(connection, user, len(content))
    # A file with this id that was given up is removed now, not a moment later.
    connection.execute("DELETE FROM files WHERE id = ? AND user IS NULL", (new.id,))
    number = _create(connection, user, new)
    for start in range(0, len(content), PIECE_BYTES):
        _append(connection, number, content[start : start + PIECE_BYTES])
    complete(connection, user, new, b"", content_type)


def of(connection: Connection, user: int) -> list[Stored]:
    """Return all complete files of a user, in the order of their upload."""
    rows = connection.execute(f"{_VISIBLE} ORDER BY number", (user,))
    return [Stored(row[0], File(*row[1:])) for row in rows]


def find(connection: Connection, user: int, id: str) -> Stored:
    """Return a user's complete file. Raises `NotFound`, also for another user's file."""
    return _found(connection.execute(f"{_VISIBLE} AND id = ?", (user, id)).fetchone())


def find_importing(connection: Connection, user: int, id: str) -> Stored:
    """Return a user's file like `find`, also if only a chat has it that is being imported."""
    return _found(connection.execute(f"{_STORED} AND id = ?", (user, id)).fetchone())


def _found(row: tuple[Any, ...] | None) -> Stored:
    if row is None:
        raise NotFound("file")
    return Stored(row[0], File(*row[1:]))


def piece(connection: Connection, file: int, position: int) -> bytes | None:
    """Return a piece of the file with this row id; None behind the last one."""
    row: tuple[bytes] | None = connection.execute(
        "SELECT content FROM file_pieces WHERE file = ? AND position = ?", (file, position)
    ).fetchone()
    return row and row[0]


def beginning(connection: Connection, id: str, size: int) -> bytes:
    """Return the first `size` bytes of a file that a message has; none if it was removed."""
    rows = connection.execute(
        "SELECT content FROM file_pieces WHERE file = (SELECT number FROM files WHERE id = ?)"
        " AND position * ? < ? ORDER BY position",
        (id, PIECE_BYTES, size),
    )
    return b"".join(content for (content,) in rows)[:size]


def attachable(connection: Connection, user: int, ids: Sequence[str]) -> list[Stored]:
    """Return a user's files to attach, in this order. Raises `NotFound`."""
    return [find(connection, user, id) for id in ids]


def attach(connection: Connection, message: int, files: Sequence[Stored]) -> None:
    """Attach files to the message with this row id, whose row already lists them."""
    connection.executemany(
        "INSERT INTO attachments (message, file) VALUES (?, ?)",
        [(message, stored.row_id) for stored in files],
    )


def delete(connection: Connection, user: int, id: str) -> None:
    """Give up a user's file. Raises `NotFound`, and `Conflict` if a message has it."""
    row_id, _ = find(connection, user, id)
    given_up = connection.execute(
        "UPDATE files SET user = NULL WHERE number = ? AND use_count = 0", (row_id,)
    )
    if not given_up.rowcount:
        raise Conflict("The file is attached to a message. Delete its chat to delete the file.")


def abandon(connection: Connection, id: str) -> None:
    """Give up a file whose upload did not end."""
    connection.execute("UPDATE files SET user = NULL WHERE id = ? AND content_type IS NULL", (id,))


def abandon_all(connection: Connection) -> None:
    """Give up the files whose uploads a crash cut off. Call this before the first request."""
    connection.execute(
        "UPDATE files SET user = NULL WHERE user IS NOT NULL AND content_type IS NULL"
    )


def age(connection: Connection) -> None:
    """Give up files that no message has had for a day of uptime. Call this once an hour.

    Hours of uptime are counted, so that a clock that jumps ahead removes nothing.
    """
    connection.execute(
        "UPDATE files SET unused_hours = unused_hours + 1 WHERE use_count = 0 AND user IS NOT NULL"
    )
    connection.execute(
        "UPDATE files SET user = NULL WHERE use_count = 0 AND user IS NOT NULL"
        " AND unused_hours > ?",
        (UNUSED_HOURS,),
    )


def are_given_up(connection: Connection) -> bool:
    """Return whether there are files to remove."""
    return _given_up(connection) is not None


def remove_slice(connection: Connection) -> bool:
    """Delete what was given up for one slice of the writer's time; return whether all is gone."""
    until = time.monotonic() + SLICE_SECONDS
    while (file := _given_up(connection)) is not None:
        deleted = connection.execute(
            "DELETE FROM file_pieces WHERE file = ? AND position ="
            " (SELECT MAX(position) FROM file_pieces WHERE file = ?)",
            (file, file),
        )
        if not deleted.rowcount:
            connection.execute("DELETE FROM files WHERE number = ?", (file,))
        if time.monotonic() > until:
            return False
    return True


def _given_up(connection: Connection) -> int | None:
    row: tuple[int] | None = connection.execute(
        "SELECT number FROM files WHERE user IS NULL LIMIT 1"
    ).fetchone()
    return row and row[0]
