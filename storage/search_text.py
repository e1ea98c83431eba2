"""How text becomes words, for the index and for a query alike.

Chinese, Japanese and Korean are written without spaces, and SQLite's tokenizer would take a whole
sentence for one word; here each of their characters is a word of its own.
"""

from __future__ import annotations

import re
import sqlite3

_CJK = re.compile(
    "([\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff])"
)


def register(connection: sqlite3.Connection) -> None:
    """Give the connection the SQL function `searchable(text)`, which the triggers call."""
    connection.create_function("searchable", 1, searchable, deterministic=True)


def searchable(text: str) -> str:
    """The text with its words apart. Cheap for what has no such characters."""
    return text if text.isascii() else _CJK.sub(r" \1 ", text)


def phrases(query: str) -> list[str]:
    """Each word of a query as a quoted FTS5 phrase, which no syntax can break.

    What holds no letter or digit is no word and is left out.
    """
    quoted = []
    for word in dict.fromkeys(query.split()):
        separated = searchable(word).replace('"', " ")
        if any(character.isalnum() for character in separated):
            quoted.append(f'"{separated}"')
    return quoted
