"""Search: the chats in whose title or messages every word of a query occurs.

A word also matches as the beginning of a longer one, so that a search box finds while one is still
typing. What a search costs must not grow with all that was ever said: a word is looked for in the
newest `MAX_MATCHES` messages that hold it, which for all but the commonest words are all of them.
A word that is so common matches only whole (FTS5 reads all matches of a beginning before it gives
the first); beside a rarer word it is looked for in the rarer one's chats.
"""

from __future__ import annotations

import json

from storage import search_text
from storage.connection import Connection

MAX_MATCHES = 20_000  # read in about 20 ms
_ALL = -1  # what SQLite takes for no limit

_MESSAGES = (
    "SELECT m.chat FROM messages_index i CROSS JOIN messages m ON m.number = i.rowid"
    " WHERE messages_index MATCH ?"
)
_TITLES = "SELECT rowid FROM titles_index WHERE titles_index MATCH ?"
_SOME = (f"{_MESSAGES} LIMIT ?", f"{_TITLES} LIMIT ?")  # in half of the time of the newest
_NEWEST = (
    f"{_MESSAGES} ORDER BY i.rowid DESC LIMIT ?",
    f"{_TITLES} ORDER BY rowid DESC LIMIT ?",
)
_BEYOND = (
    "SELECT 1 FROM messages_index WHERE messages_index MATCH ? LIMIT 1 OFFSET ?",
    "SELECT 1 FROM titles_index WHERE titles_index MATCH ? LIMIT 1 OFFSET ?",
)
_THOSE_WITH = (
    "SELECT value FROM json_each(:chats) WHERE EXISTS (SELECT 1 FROM messages m"
    " CROSS JOIN messages_index i ON i.rowid = m.number"
    " WHERE m.chat = value AND messages_index MATCH :words)"
    " OR EXISTS (SELECT 1 FROM titles_index WHERE rowid = value AND titles_index MATCH :words)"
)


def chats_with(connection: Connection, user: int, query: str) -> set[int]:
    """The numbers of the user's chats that hold every word of the query; none for no word."""
    found: set[int] | None = None
    common: list[tuple[str, set[int]]] = []
    phrases = search_text.phrases(query)
    for phrase in phrases:
        expression = f"owner : u{user:d} AND content : {phrase}"
        is_letter = len(phrase) == len('"a"')
        if is_letter or not _is_rare(connection, phrase):
            having, is_all = _matching(connection, _NEWEST, expression, MAX_MATCHES)
            if not is_all:
                common.append((expression, having))
                continue
        if not is_letter:
            most = MAX_MATCHES if len(phrases) == 1 else _ALL
            having, is_all = _matching(connection, _SOME, f"{expression} *", most)
            if not is_all:
                having, _ = _matching(connection, _NEWEST, f"{expression} *", most)
        found = having if found is None else found & having
    if found is None:
        return set.intersection(*(having for _, having in common)) if common else set()
    for expression, having in common:
        found = (found & having) | _those_with(connection, found - having, expression)
    return found


def _is_rare(connection: Connection, phrase: str) -> bool:
    """Whether few messages and titles hold the word, whosever they are. Told in a moment."""
    beyond = (f"content : {phrase}", MAX_MATCHES - 1)
    return not any(connection.execute(query, beyond).fetchone() for query in _BEYOND)


def _matching(
    connection: Connection, queries: tuple[str, str], expression: str, most: int
) -> tuple[set[int], bool]:
    """The chats of so many matches, and whether those are all matches."""
    found = [connection.execute(query, (expression, most)).fetchall() for query in queries]
    is_all = max(map(len, found)) != most
    return {chat for matches in found for (chat,) in matches}, is_all


def _those_with(connection: Connection, chats: set[int], expression: str) -> set[int]:
    """Those of the chats that hold a match; looks no further than the first one in each."""
    rows = connection.execute(_THOSE_WITH, {"chats": json.dumps(list(chats)), "words": expression})
    return {chat for (chat,) in rows}
