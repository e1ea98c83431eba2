"""Check database integrity. Nothing here writes to the database.

A check sees the state of one commit. A server can use the database meanwhile and is not blocked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.progress import ProgressCallback
from storage import migrations
from storage.backups import reading, snapshot, usable
from storage.connection import Connection

_PROBLEMS_SHOWN = 10  # of each kind
_INITIAL = "m001_initial"  # the migration that creates the tables
_FRAMES = "m003_frames"  # the migration that numbers frames
_SEARCH = "m005_search"
_STORAGE = "m007_storage"  # the migration that counts each user's stored bytes
_HIDDEN_CHATS = "m009_hidden_chats"
_FILES = "m010_files"
_VERSIONS = "m011_versions"
_ORDER = "m012_chat_order"

_IS_VISIBLE = "number NOT IN (SELECT chat FROM hidden_chats)"  # the others are being removed
_COUNTERS = {
    "chat count of a user": (
        "SELECT id, chat_count, (SELECT COUNT(*) FROM chats WHERE user = u.number"
        f" AND {_IS_VISIBLE}) AS counted"
        " FROM users u WHERE chat_count <> counted"
    ),
    "message count of a chat": (
        "SELECT id, message_count, (SELECT COUNT(*) FROM path WHERE chat = c.number) AS counted"
        f" FROM chats c WHERE message_count <> counted AND {_IS_VISIBLE}"
    ),
    "unread count of a chat": (
        "SELECT id, unread_count, (SELECT COUNT(*) FROM path p CROSS JOIN messages m"
        " ON m.number = p.number WHERE p.chat = c.number"
        " AND p.number > c.read_number AND sender = 'assistant' AND status <> 'streaming')"
        " AS counted"
        f" FROM chats c WHERE unread_count <> counted AND {_IS_VISIBLE}"
    ),
    "last message of a chat": (
        "SELECT id, last_message, (SELECT MAX(number) FROM path WHERE chat = c.number) AS found"
        f" FROM chats c WHERE last_message IS NOT found AND {_IS_VISIBLE}"
    ),
}

_NUMBERED = {
    "last frame number of a user": (
        "SELECT id, seq, max((SELECT ifnull(MAX(seq), 0) FROM messages WHERE user = u.number),"
        " (SELECT ifnull(MAX(seq), 0) FROM reads WHERE user = u.number),"
        " (SELECT ifnull(MAX(seq), 0) FROM chat_changes WHERE user = u.number)) AS found"
        " FROM users u WHERE seq < found"
    ),
}

_STORED = {
    "stored bytes of a user": (
        "SELECT u.id, storage_bytes, ifnull(total, 0) + ifnull(filed, 0)"
        " + ifnull(prompted, 0) AS counted FROM users u"
        " LEFT JOIN (SELECT user, SUM(length(CAST(content AS BLOB))"
        " + ifnull(length(CAST(reasoning AS BLOB)), 0)) AS total FROM messages GROUP BY user) s"
        " ON s.user = u.number LEFT JOIN (SELECT user, SUM(size) AS filed FROM files GROUP BY user)"
        " f ON f.user = u.number LEFT JOIN (SELECT user, SUM(length(CAST(system_prompt AS BLOB)))"
        " AS prompted FROM chats GROUP BY user) c ON c.user = u.number"
        " WHERE storage_bytes <> counted"
    ),
}
_FILED = {
    "size of a file": (
        "SELECT id, size, (SELECT ifnull(SUM(length(content)), 0) FROM file_pieces"
        " WHERE file = f.number) AS counted FROM files f"
        " WHERE size <> counted AND user IS NOT NULL"
    ),
    "messages of a file": (
        "SELECT id, use_count, (SELECT COUNT(*) FROM attachments WHERE file = f.number) AS counted"
        " FROM files f WHERE use_count <> counted"
    ),
}

_ARCHIVED = {
    "archived count of a user": (
        "SELECT id, archived_count, (SELECT COUNT(*) FROM chats WHERE user = u.number"
        f" AND is_archived AND {_IS_VISIBLE}) AS counted"
        " FROM users u WHERE archived_count <> counted"
    ),
}

_TREE = {
    "versions of a message": (
        "SELECT m.id, m.has_versions, (SELECT COUNT(*) > 1 FROM messages s"
        " WHERE s.chat = m.chat AND s.parent IS m.parent) AS counted"
        f" FROM messages m WHERE m.has_versions <> counted AND m.chat IN"
        f" (SELECT number FROM chats WHERE {_IS_VISIBLE})"
    ),
    "parent of a message": (
        "SELECT m.id, m.parent, p.number FROM messages m LEFT JOIN messages p"
        " ON p.number = m.parent AND p.chat = m.chat AND p.number < m.number"
        " WHERE m.parent IS NOT p.number"
    ),
    "parent of a message on the path": (
        "SELECT m.id, m.parent, before FROM (SELECT chat, number,"
        " lag(number) OVER (PARTITION BY chat ORDER BY number) AS before FROM path) p"
        " JOIN messages m ON m.number = p.number WHERE m.parent IS NOT before"
        f" AND m.chat IN (SELECT number FROM chats WHERE {_IS_VISIBLE})"
    ),
}

# Each search index, and a query for the rows that it must contain.
_INDEXED = {
    "messages_index": (
        "SELECT number, user, content AS text FROM messages WHERE status <> 'streaming'"
        " AND number >= (SELECT indexed_from FROM search_index)"
    ),
    "titles_index": "SELECT number, user, title AS text FROM chats",
}


@dataclass(frozen=True)
class Report:
    """The problems that a check found, one line each, and the numbers of stored objects."""

    problems: list[str]
    users: int = 0
    chats: int = 0
    messages: int = 0


def inspect(path: Path) -> list[str]:
    """Return the pending migrations. Takes milliseconds. Raises `Unusable`."""
    with usable(), reading(path) as connection:
        pending = migrations.pending(connection)
        for table in ("users", "chats", "messages") if _INITIAL not in pending else ():
            connection.execute(f"SELECT MAX(number) FROM {table}").fetchone()
        return pending


def check(path: Path, progress: ProgressCallback) -> Report:
    """Check the pages, foreign keys, counters and search index of a database.

    Takes about a minute for a million messages. Raises `Unusable` if the file can't be read.
    """
    with usable(), snapshot(path) as connection:
        if _INITIAL in migrations.pending(connection):
            raise migrations.ForeignDatabase
        problems = []
        for name, look in _CHECKS.items():
            progress(f"checking {name}", None)
            try:
                problems += look(connection)
            except sqlite3.DatabaseError as error:
                problems.append(f"{name}: {error}")
        return Report(problems, *_contents(connection))


def contents(path: Path) -> tuple[int, int, int]:
    """Return the numbers of users, chats and messages. Raises `Unusable`."""
    with usable(), reading(path) as connection:
        return _contents(connection)


def created_at(path: Path) -> datetime:
    """Return when a database was created. Raises `Unusable`."""
    with usable(), reading(path) as connection:
        return migrations.applied_at(connection, _INITIAL)


def _pages(connection: Connection) -> list[str]:
    found = connection.execute(f"PRAGMA integrity_check({_PROBLEMS_SHOWN})").fetchall()
    lines = [line for (text,) in found for line in text.splitlines()]
    return [f"pages: {line}" for line in lines if line != "ok" and not line.startswith("***")]


def _foreign_keys(connection: Connection) -> list[str]:
    found = connection.execute("PRAGMA foreign_key_check").fetchmany(_PROBLEMS_SHOWN)
    return [f"{row[0]}: row {row[1]} refers to a row of {row[2]} that is missing" for row in found]


def _counters(connection: Connection) -> list[str]:
    problems, pending = [], migrations.pending(connection)
    queries = dict(_COUNTERS)
    if _HIDDEN_CHATS in pending:
        connection.execute("CREATE TEMP TABLE hidden_chats (chat)")
    if _VERSIONS in pending:
        connection.execute("CREATE TEMP VIEW path AS SELECT chat, number FROM messages")
    else:
        queries |= _TREE
    if _ORDER not in pending:
        queries |= _ARCHIVED
    if _FRAMES not in pending:
        queries |= _NUMBERED
    if _FILES in pending:
        connection.execute("CREATE TEMP TABLE files (user, size)")
    else:
        queries |= _FILED
    if _STORAGE not in pending:
        queries |= _STORED
    for name, query in queries.items():
        for id, kept, counted in connection.execute(query).fetchmany(_PROBLEMS_SHOWN):
            problems.append(f"{name}: {id} has {kept}, counted {counted}")
    return problems


def _search_index(connection: Connection) -> list[str]:
    """Compare each index with a new one that is built in a temporary database."""
    if _SEARCH in migrations.pending(connection):
        return []  # the next start rebuilds the indexes
    problems = []
    for index, source in _INDEXED.items():
        columns = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (index,)
        ).fetchone()[0]
        definition = columns.replace(
            f"VIRTUAL TABLE {index}", f"VIRTUAL TABLE temp.{index}_rebuilt"
        )
        connection.execute(definition)
        connection.execute(
            f"INSERT INTO temp.{index}_rebuilt (rowid, owner, content)"
            f" SELECT number, 'u' || user, searchable(text) FROM ({source})"
        )
        for schema, name in (("main", index), ("temp", f"{index}_rebuilt")):
            connection.execute(
                f"CREATE VIRTUAL TABLE temp.{name}_words USING fts5vocab({schema}, {name}, col)"
            )
        entries = f"SELECT id FROM {index}_docsize"
        numbers = f"SELECT number FROM ({source})"
        words = f"SELECT * FROM temp.{index}_words"
        rebuilt_words = f"SELECT * FROM temp.{index}_rebuilt_words"
        for what, left, right in (
            ("lacks the row", numbers, entries),
            ("has the extra row", entries, numbers),
            ("lacks the word", rebuilt_words, words),
            ("has the extra word", words, rebuilt_words),
        ):
            found = connection.execute(f"{left} EXCEPT {right} LIMIT {_PROBLEMS_SHOWN}")
            problems += [f"{index}: {what} {row[0]}" for row in found]
    return problems


_CHECKS: dict[str, Callable[[Connection], list[str]]] = {
    "the pages": _pages,
    "the foreign keys": _foreign_keys,
    "the counters": _counters,
    "the search index": _search_index,
}


def _contents(connection: Connection) -> tuple[int, int, int]:
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM users), (SELECT total(chat_count) FROM users),"
        " (SELECT COUNT(*) FROM messages)"
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])
