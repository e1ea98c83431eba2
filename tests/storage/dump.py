"""Write a database as SQL, to be kept in `released/` when its version is released.

    python tests/storage/dump.py DATABASE > tests/storage/released/VERSION.sql

What triggers keep (counters, the search index) is left out: they keep it again as the rows go in.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

KEPT_BY_TRIGGERS = {
    "chat_count", "storage_bytes", "message_count", "unread_count", "last_message",
}  # fmt: skip
INDEXES = ("messages_index", "titles_index")
# A row after those that it refers to.
ROWS_OF = ("_sqlite_migrations", "users", "sessions", "api_keys", "server_settings", "chats", "messages")  # fmt: skip


def dump(connection: sqlite3.Connection) -> list[str]:
    lines = []
    for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ):
        if not name.startswith(("sqlite_", *(f"{index}_" for index in INDEXES))):
            lines.append(f"{sql.strip()};")
    for table in ROWS_OF:
        cursor = connection.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in cursor.description]
        for row in cursor:
            values = {c: v for c, v in zip(columns, row) if c not in KEPT_BY_TRIGGERS}
            shown = ", ".join(_literal(connection, value) for value in values.values())
            lines.append(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({shown});")
    return lines


def _literal(connection: sqlite3.Connection, value: object) -> str:
    return str(connection.execute("SELECT quote(?)", (value,)).fetchone()[0])


if __name__ == "__main__":
    with closing(sqlite3.connect(sys.argv[1])) as database:
        print("\n".join(dump(database)))
