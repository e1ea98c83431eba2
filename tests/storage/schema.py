"""Write the schema that all migrations lead to, table by table:

python -m tests.storage.schema > storage/schema.sql
"""

from __future__ import annotations

import re
import sqlite3
import textwrap
from contextlib import closing

from storage import migrations, search_text

_HEADER = """\
-- The schema of the newest version, to read. Nothing executes this file: `migrations.py` creates
-- and changes the schema, and a test compares the two. After a new migration, run
--     python -m tests.storage.schema > storage/schema.sql
"""
# SQLite appends the columns of `ALTER TABLE` to the last line.
_WITH_ADDED_COLUMNS = re.compile(
    r"(?P<body>.*\S)\s*\n\s*, (?P<added>.+)\) (?P<options>STRICT.*)", re.S
)
_NEXT_COLUMN = re.compile(r", (?=\w+ (?:TEXT|INTEGER|REAL|BLOB)\b)")


def current() -> str:
    """Return the text of the snapshot."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        search_text.register(connection)
        migrations.migrate(connection)
        rows = connection.execute(
            "SELECT tbl_name, type, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlite\\_%' ESCAPE '\\'"
            " AND tbl_name NOT LIKE '\\_sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " ORDER BY rowid"
        ).fetchall()
    indexes = [table for table, _, sql in rows if "USING fts5" in sql]
    tables = [table for table, type, _ in rows if type == "table" and not _is_part(table, indexes)]
    parts = []
    for table in tables:
        for kind in ("table", "index", "trigger"):
            parts += [_format(sql) for name, type, sql in rows if (name, type) == (table, kind)]
    return _HEADER + "".join(f"\n{part};\n" for part in parts)


def _is_part(table: str, indexes: list[str]) -> bool:
    """Whether a table is one of those that a search index consists of."""
    return any(table.startswith(f"{index}_") for index in indexes)


def _format(sql: str) -> str:
    """Undo the indentation of `migrations.py`, and give each added column a line of its own."""
    first, _, rest = sql.strip().partition("\n")
    if not rest:
        return first
    indent = " " * 4
    found = _WITH_ADDED_COLUMNS.fullmatch(rest)
    if found is not None:
        columns = textwrap.dedent(found["body"]).splitlines()
        definition, separator, comment = columns[-1].partition("  --")
        columns[-1] = f"{definition},{separator}{comment}"
        added = _NEXT_COLUMN.split(found["added"])
        columns += [f"{column}," for column in added[:-1]] + added[-1:]
        body = textwrap.indent("\n".join(columns), indent)
        return f"{first}\n{body}\n) {found['options']}"
    return f"{first}\n{textwrap.dedent(rest)}"


if __name__ == "__main__":
    print(current(), end="")
