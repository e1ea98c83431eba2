"""Copies of a database, and whether one is sound. Nothing here writes to the database itself.

A server may be using it meanwhile: all is read in one transaction, so it is the state of one
moment, and nobody waits for it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.progress import ProgressCallback
from storage import migrations, sequence
from storage.connection import Connection, connect, create_private, sync

_PAGES_A_STEP = 1024  # 4 MiB
_PROBLEMS_SHOWN = 10  # of each kind
_INITIAL = "m001_initial"  # the migration that makes the tables
_FRAMES = "m003_frames"  # the one that numbers frames
_SEARCH = "m005_search"

_COUNTERS = {
    "the number of a user's chats": (
        "SELECT id, chat_count, (SELECT COUNT(*) FROM chats WHERE user = u.number) AS counted"
        " FROM users u WHERE chat_count <> counted"
    ),
    "the number of a chat's messages": (
        "SELECT id, message_count, (SELECT COUNT(*) FROM messages WHERE chat = c.number) AS counted"
        " FROM chats c WHERE message_count <> counted"
    ),
    "the number of a chat's unread messages": (
        "SELECT id, unread_count, (SELECT COUNT(*) FROM messages WHERE chat = c.number"
        " AND number > c.read_number AND sender = 'assistant' AND status <> 'streaming') AS counted"
        " FROM chats c WHERE unread_count <> counted"
    ),
    "a chat's last message": (
        "SELECT id, last_message, (SELECT MAX(number) FROM messages WHERE chat = c.number) AS found"
        " FROM chats c WHERE last_message IS NOT found"
    ),
}

_NUMBERED = {
    "the number of a user's last frame": (
        "SELECT id, seq, max((SELECT ifnull(MAX(seq), 0) FROM messages WHERE user = u.number),"
        " (SELECT ifnull(MAX(seq), 0) FROM reads WHERE user = u.number),"
        " (SELECT ifnull(MAX(seq), 0) FROM chat_changes WHERE user = u.number)) AS found"
        " FROM users u WHERE seq < found"
    ),
}

# Each index, and what it ought to hold: number, user and text.
_INDEXED = {
    "messages_index": (
        "SELECT number, user, content AS text FROM messages WHERE status <> 'streaming'"
        " AND number >= (SELECT indexed_from FROM search_index)"
    ),
    "titles_index": "SELECT number, user, title AS text FROM chats",
}


class Unusable(Exception):
    """A file that can't be used as the database; its text says why, `advice` what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


@dataclass(frozen=True)
class Report:
    """What a check found: each problem in a line; and what the database holds."""

    problems: list[str]
    users: int = 0
    chats: int = 0
    messages: int = 0


def inspect(path: Path) -> list[str]:
    """The migrations that a database lacks. Quick, and only reads. Raises `Unusable`."""
    with _usable(), closing(connect(path, writable=False)) as connection:
        lacking = migrations.pending(connection)
        for table in ("users", "chats", "messages") if _INITIAL not in lacking else ():
            connection.execute(f"SELECT MAX(number) FROM {table}").fetchone()
        return lacking


def copy(source: Path, target: Path, progress: ProgressCallback) -> None:
    """Copy a database to one file, mode 0600, that is there whole or not at all.

    It replaces what has its name. Raises `Unusable` when the source is damaged or can't be read,
    and `OSError` when the copy can't be written.
    """
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        create_private(partial)
        with _usable(), _snapshot(source) as reading:
            _copy(reading, partial, progress)
            _verify(partial, progress)
        sync(partial)
        os.replace(partial, target)
        sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def check(path: Path, progress: ProgressCallback) -> Report:
    """Whether a database is sound: its pages, keys, counters and search index.

    Raises `Unusable` when it can't be read at all. Takes about a minute for a million messages.
    """
    with _usable(), _snapshot(path) as connection:
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


def renumber(path: Path) -> None:
    """Have clients list everything again, because they may have seen more than this database knows.

    One that knows no numbers yet begins them so anyway (`migrations`). Raises `Unusable`.
    """
    with _usable(), closing(connect(path, writable=True)) as connection:
        if _FRAMES not in migrations.pending(connection):
            sequence.begin_anew(connection)


def contents(path: Path) -> tuple[int, int, int]:
    """How many users, chats and messages a database holds. Raises `Unusable`."""
    with _usable(), closing(connect(path, writable=False)) as connection:
        return _contents(connection)


def _pages(connection: Connection) -> list[str]:
    found = connection.execute(f"PRAGMA integrity_check({_PROBLEMS_SHOWN})").fetchall()
    lines = [line for (text,) in found for line in text.splitlines()]
    return [f"pages: {line}" for line in lines if line != "ok" and not line.startswith("***")]


def _foreign_keys(connection: Connection) -> list[str]:
    found = connection.execute("PRAGMA foreign_key_check").fetchmany(_PROBLEMS_SHOWN)
    return [f"{row[0]}: row {row[1]} belongs to a row of {row[2]} that is gone" for row in found]


def _counters(connection: Connection) -> list[str]:
    problems = []
    is_numbered = _FRAMES not in migrations.pending(connection)
    for name, query in ({**_COUNTERS, **_NUMBERED} if is_numbered else _COUNTERS).items():
        for id, kept, counted in connection.execute(query).fetchmany(_PROBLEMS_SHOWN):
            problems.append(f"{name}: {id} says {kept}, counted {counted}")
    return problems


def _search_index(connection: Connection) -> list[str]:
    """Compare each index with one that is made anew, beside the database."""
    if _SEARCH in migrations.pending(connection):
        return []  # the next start makes the indexes again
    problems = []
    for index, wanted in _INDEXED.items():
        columns = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (index,)
        ).fetchone()[0]
        anew = columns.replace(f"VIRTUAL TABLE {index}", f"VIRTUAL TABLE temp.{index}_anew")
        connection.execute(anew)
        connection.execute(
            f"INSERT INTO temp.{index}_anew (rowid, owner, content)"
            f" SELECT number, 'u' || user, searchable(text) FROM ({wanted})"
        )
        for schema, name in (("main", index), ("temp", f"{index}_anew")):
            connection.execute(
                f"CREATE VIRTUAL TABLE temp.{name}_words USING fts5vocab({schema}, {name}, col)"
            )
        entries = f"SELECT id FROM {index}_docsize"
        numbers = f"SELECT number FROM ({wanted})"
        words = f"SELECT * FROM temp.{index}_words"
        words_anew = f"SELECT * FROM temp.{index}_anew_words"
        for what, these, those in (
            ("lacks the row", numbers, entries),
            ("has too much the row", entries, numbers),
            ("lacks the word", words_anew, words),
            ("has too much the word", words, words_anew),
        ):
            found = connection.execute(f"{these} EXCEPT {those} LIMIT {_PROBLEMS_SHOWN}")
            problems += [f"{index}: {what} {row[0]}" for row in found]
    return problems


_CHECKS: dict[str, Callable[[Connection], list[str]]] = {
    "the pages": _pages,
    "what belongs together": _foreign_keys,
    "the counters": _counters,
    "the search index": _search_index,
}


def _contents(connection: Connection) -> tuple[int, int, int]:
    row = connection.execute(
        "SELECT (SELECT COUNT(*) FROM users), (SELECT total(chat_count) FROM users),"
        " (SELECT total(message_count) FROM chats)"
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])


def _copy(reading: Connection, target: Path, progress: ProgressCallback) -> None:
    def tell(_: int, remaining: int, total: int) -> None:
        progress("copying", 1 - remaining / max(total, 1))

    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as writing:
            writing.execute("PRAGMA journal_mode = OFF")  # a copy that fails is thrown away
            writing.execute("PRAGMA synchronous = OFF")  # and one that is whole is synced once
            reading.backup(writing, pages=_PAGES_A_STEP, progress=tell)
            writing.execute("PRAGMA journal_mode = DELETE")  # one file, not three
    except sqlite3.OperationalError as error:
        raise OSError(None, str(error)) from None


def _verify(path: Path, progress: ProgressCallback) -> None:
    """Look whether the pages of a copy hold together: a damaged one would be found too late."""
    progress("checking the copy", None)
    with closing(connect(path, writable=False)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found.splitlines()[-1])  # the rest is a heading


@contextmanager
def _snapshot(path: Path) -> Iterator[Connection]:
    """A connection that sees one moment of the database, however long it looks."""
    with closing(connect(path, writable=False)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield connection
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


@contextmanager
def _usable() -> Iterator[None]:
    """Turn what SQLite and the migrations say of a file into `Unusable`."""
    try:
        yield
    except migrations.NewerDatabase:
        raise Unusable("was made by a newer version of Quillium", "Install that version") from None
    except migrations.ForeignDatabase:
        raise Unusable("is not a database of Quillium's", "Choose another file") from None
    except sqlite3.OperationalError as error:
        raise Unusable(
            f"can't be opened: {error}", "Look at its permissions and the disk"
        ) from None
    except sqlite3.DatabaseError as error:
        raise Unusable(
            f"is damaged: {error}", "Put a backup in its place: python quillium.py restore FILE"
        ) from None
