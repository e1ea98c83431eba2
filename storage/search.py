"""Search for chats that contain every word of a query in title or messages (contract, section 6).

A word also matches as a prefix of a longer word, so that a search box finds results while the user
is typing. The cost of a search must not grow with the number of messages, so a search for a word
reads at most the newest `MAX_MATCHES` messages that contain it; only for the commonest words is
that not all of them. Such a common word matches only as a whole word, because FTS5 reads all
matches of a prefix before it returns the first one. Together with a rarer word, it is searched for
only in the rarer word's chats. A search that still takes too long is interrupted.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from core.errors import InvalidRequest
from storage import search_text
from storage.connection import Connection

MAX_WORDS = 32
MAX_MATCHES = 20_000  # read in about 20 ms
MAX_SECONDS = 2.0
_MATCH_SECONDS = 0.1  # for one chat
_STEPS_BETWEEN_LOOKS = 10_000  # instructions of SQLite's virtual machine, well under a millisecond
_NO_LIMIT = -1

_MESSAGES = (
    "SELECT m.chat, m.number FROM messages_index i CROSS JOIN messages m ON m.number = i.rowid"
    " WHERE messages_index MATCH ?"
)
_TITLES = "SELECT rowid, 0 FROM titles_index WHERE titles_index MATCH ?"
_SOME = (f"{_MESSAGES} LIMIT ?", f"{_TITLES} LIMIT ?")  # twice as fast as the newest
_NEWEST = (
    f"{_MESSAGES} ORDER BY i.rowid DESC LIMIT ?",
    f"{_TITLES} ORDER BY rowid DESC LIMIT ?",
)
_BEYOND = (
    "SELECT 1 FROM messages_index WHERE messages_index MATCH ? LIMIT 1 OFFSET ?",
    "SELECT 1 FROM titles_index WHERE titles_index MATCH ? LIMIT 1 OFFSET ?",
)
_CHATS_WITH = (
    "SELECT value FROM json_each(:chats) WHERE EXISTS (SELECT 1 FROM messages m"
    " CROSS JOIN messages_index i ON i.rowid = m.number"
    " WHERE m.chat = value AND messages_index MATCH :words)"
    " OR EXISTS (SELECT 1 FROM titles_index WHERE rowid = value AND titles_index MATCH :words)"
)
_NEWEST_MATCH = (
    "SELECT m.number FROM messages m CROSS JOIN messages_index i ON i.rowid = m.number"
    " WHERE m.chat = ? AND messages_index MATCH ? ORDER BY m.number DESC LIMIT 1"
)
_CONTENTS = (
    "SELECT chat, id, content FROM messages WHERE number IN (SELECT value FROM json_each(?))"
)


class _Matches(NamedTuple):
    """Where a word was found: pairs of the row ids of chat and message, and chats by title."""

    messages: list[tuple[int, int]]
    titles: list[tuple[int, int]]
    is_all: bool  # or only the newest

    def chats(self) -> set[int]:
        return {chat for chat, _ in self.messages} | {chat for chat, _ in self.titles}


class Found(NamedTuple):
    """The row ids of the chats that contain every word, and where each word was found."""

    chats: set[int]
    words: list[search_text.Word]
    matches: list[_Matches]


def chats_with(connection: Connection, user: int, query: str) -> Found:
    """Find the user's chats that contain every word of the query; none if it has no words.

    Raises `InvalidRequest` for more than `MAX_WORDS` words, or if it takes longer than
    `MAX_SECONDS`.
    """
    words = search_text.words(query)
    if len(words) > MAX_WORDS:
        raise InvalidRequest(f"q: at most {MAX_WORDS} words, not {len(words)}")
    matches: list[_Matches] = []
    with _interrupted_after(connection, MAX_SECONDS):
        return Found(_chats_with(connection, user, words, matches), words, matches)


def newest_matches(
    connection: Connection, user: int, chats: list[int], found: Found
) -> dict[int, tuple[str, str]]:
    """Return id and content of the newest message with all words, else any of them, by chat.

    The matches that found the chats almost always include it. Chats that only have a common word
    beyond its newest matches are searched one by one, as long as there is time.
    """
    by_chat = [_rows_by_chat(matches, set(chats)) for matches in found.matches]
    is_all = all(matches.is_all for matches in found.matches)
    newest: dict[int, int] = {}
    with suppress(InvalidRequest), _interrupted_after(connection, _MATCH_SECONDS):
        for chat in chats:
            rows = [matches.get(chat, set()) for matches in by_chat]
            with_all = set[int]().union(*rows[:1]).intersection(*rows)
            with_any = set[int]().union(*rows)
            if with_all or (with_any and is_all):
                newest[chat] = max(with_all or with_any)
            elif not is_all and (row := _newest_match(connection, user, chat, found.words)):
                newest[chat] = row
    contents = connection.execute(_CONTENTS, (json.dumps(list(newest.values())),))
    return {chat: (id, content) for chat, id, content in contents}


def _rows_by_chat(matches: _Matches, chats: set[int]) -> dict[int, set[int]]:
    rows: dict[int, set[int]] = {}
    for chat, row in matches.messages:
        if chat in chats:
            rows.setdefault(chat, set()).add(row)
    return rows


def _newest_match(
    connection: Connection, user: int, chat: int, words: list[search_text.Word]
) -> int | None:
    """Return the newest message that contains all words, else any of them."""
    expressions = [_expression(word) for word in words]
    for operator in (" AND ", " OR "):
        expression = f"owner : u{user:d} AND content : ({operator.join(expressions)})"
        row = connection.execute(_NEWEST_MATCH, (chat, expression)).fetchone()
        if row is not None:
            return int(row[0])
    return None


def _chats_with(
    connection: Connection, user: int, words: list[search_text.Word], matches: list[_Matches]
) -> set[int]:
    """Return the chats with every word, and append to `matches` where each word was found."""
    found: set[int] | None = None
    common: list[tuple[str, set[int]]] = []
    for word in words:
        exact = f"owner : u{user:d} AND content : {word.exact()}"
        if word.is_letter or not _is_rare(connection, word):
            word_matches = _matching(connection, _NEWEST, exact, MAX_MATCHES)
            if not word_matches.is_all:
                matches.append(word_matches)
                common.append((exact, word_matches.chats()))
                continue
        if not word.is_letter:
            beginning = f"owner : u{user:d} AND content : {word.beginning()}"
            limit = MAX_MATCHES if len(words) == 1 else _NO_LIMIT
            word_matches = _matching(connection, _SOME, beginning, limit)
            if not word_matches.is_all:
                word_matches = _matching(connection, _NEWEST, beginning, limit)
        matches.append(word_matches)
        having = word_matches.chats()
        found = having if found is None else found & having
        if not found:
            return set()
    if found is None:
        return set.intersection(*(having for _, having in common)) if common else set()
    for expression, having in common:
        found = (found & having) | _those_with(connection, found - having, expression)
    return found


def _expression(word: search_text.Word) -> str:
    return word.exact() if word.is_letter else word.beginning()


def _is_rare(connection: Connection, word: search_text.Word) -> bool:
    """Return whether few messages and titles of all users have the word. Takes about 0.03 ms."""
    beyond = (f"content : {word.exact()}", MAX_MATCHES - 1)
    return not any(connection.execute(query, beyond).fetchone() for query in _BEYOND)


def _matching(
    connection: Connection, queries: tuple[str, str], expression: str, limit: int
) -> _Matches:
    """Return at most `limit` matches in messages, and as many in titles."""
    messages, titles = (
        connection.execute(query, (expression, limit)).fetchall() for query in queries
    )
    return _Matches(messages, titles, max(len(messages), len(titles)) != limit)


def _those_with(connection: Connection, chats: set[int], expression: str) -> set[int]:
    """Return those chats that contain a match. Stops at the first match in each."""
    rows = connection.execute(_CHATS_WITH, {"chats": json.dumps(list(chats)), "words": expression})
    return {chat for (chat,) in rows}


@contextmanager
def _interrupted_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Interrupt the connection's query after this time, and raise `InvalidRequest`."""
    until = time.monotonic() + seconds

    def is_late() -> bool:
        return time.monotonic() > until

    connection.set_progress_handler(is_late, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError:  # the error text depends on the interrupted statement
        if not is_late():
            raise
        raise InvalidRequest(
            "q: the search takes too long. Use fewer or less common words."
        ) from None
    finally:
        connection.set_progress_handler(None, 0)
