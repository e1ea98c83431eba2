"""The schema as a list of migration steps. Append-only: a released step never changes.

Each step and its record (sqlite-utils `Migrations`) share one transaction, so a step that is killed
leaves no trace. Never call `executescript` here: it commits by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from storage import steps_0_1, steps_versions

_SET = "quillium"
_TABLE = "_sqlite_migrations"  # where sqlite-utils records the applied steps

# Sessions that survive a lost response, sign-in codes, keys that expire, disabled accounts
# (contract, section 4).
_ACCOUNTS = (
    "ALTER TABLE sessions ADD COLUMN previous_token_id TEXT",  # exchanged for the current one
    # Whether a token that was issued with the current refresh token was used.
    "ALTER TABLE sessions ADD COLUMN is_used INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE sessions ADD COLUMN created_at TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN last_used_at TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT ''",  # the client's
    "ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0",  # epoch seconds
    # Hours of uptime for which the session has been expired: a clock alone deletes nothing.
    "ALTER TABLE sessions ADD COLUMN expired_hours INTEGER NOT NULL DEFAULT 0",
    # Begun by a sign-in code: a password may be set without the current one.
    "ALTER TABLE sessions ADD COLUMN may_set_password INTEGER NOT NULL DEFAULT 0",
    "UPDATE sessions SET created_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),"
    " last_used_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),"
    " ends_at = max(expires_at, CAST(strftime('%s', 'now') AS INTEGER) + 90 * 86400)",
    # Pairs of tokens whose response was lost, and which were replaced by another pair.
    """
    CREATE TABLE void_tokens (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        token_id TEXT NOT NULL UNIQUE,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX void_tokens_by_session ON void_tokens (session, number)",
    "DROP TABLE rotated_tokens",
    """
    CREATE TABLE sign_in_codes (
        hash TEXT PRIMARY KEY,  -- SHA-256 of the code, hexadecimal
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        expires_at INTEGER NOT NULL,  -- epoch seconds
        expired_hours INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sign_in_codes_by_user ON sign_in_codes (user)",
    "CREATE INDEX sign_in_codes_by_expiry ON sign_in_codes (expires_at)",
    "ALTER TABLE users ADD COLUMN is_disabled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE users ADD COLUMN last_seen_at TEXT",
    "ALTER TABLE api_keys ADD COLUMN expires_at INTEGER",  # epoch seconds; NULL: never
)

# The indexes are made again, with other rules for words. Titles at once; messages from the newest
# to the oldest, in the background, while the server runs (`search_index`). `indexed_from` is the
# lowest number that the index has; every new message has a higher one.
_SEARCH = (
    "DROP TRIGGER message_indexed",
    "DROP TRIGGER message_unindexed",
    "DROP TRIGGER message_changed_old",
    "DROP TRIGGER message_changed_new",
    "DROP TABLE messages_index",
    "DROP TABLE titles_index",
    """
    CREATE VIRTUAL TABLE messages_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 0"
    )
    """,
    """
    CREATE VIRTUAL TABLE titles_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 0"
    )
    """,
    "CREATE TABLE search_index (indexed_from INTEGER NOT NULL) STRICT",
    "INSERT INTO search_index SELECT coalesce(max(number), 0) + 1 FROM messages",
    """
    INSERT INTO titles_index (rowid, owner, content)
    SELECT number, 'u' || user, searchable(title) FROM chats ORDER BY number
    """,
    """
    CREATE TRIGGER message_indexed AFTER INSERT ON messages WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END
    """,
    """
    CREATE TRIGGER message_unindexed AFTER DELETE ON messages
    WHEN old.status <> 'streaming' AND old.number >= (SELECT indexed_from FROM search_index) BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END
    """,
    """
    CREATE TRIGGER message_changed_old AFTER UPDATE OF content, status ON messages
    WHEN old.status <> 'streaming' AND old.number >= (SELECT indexed_from FROM search_index) BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END
    """,
    """
    CREATE TRIGGER message_changed_new AFTER UPDATE OF content, status ON messages
    WHEN new.status <> 'streaming' AND new.number >= (SELECT indexed_from FROM search_index) BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END
    """,
)

# What a provider tells of a reply beside its text, and how a chat's model is to answer (contract,
# section 6).
_PROVIDERS = (
    "ALTER TABLE messages ADD COLUMN reasoning TEXT",
    "ALTER TABLE messages ADD COLUMN finish_reason TEXT",
    "ALTER TABLE messages ADD COLUMN prompt_tokens INTEGER",
    "ALTER TABLE messages ADD COLUMN completion_tokens INTEGER",
    "ALTER TABLE chats ADD COLUMN system_prompt TEXT",
    "ALTER TABLE chats ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}'",  # JSON
    # As for `content`: what is overwritten is erased at the next clean stop.
    """
    CREATE TRIGGER reasoning_leaves_traces AFTER UPDATE OF reasoning ON messages
    WHEN old.status <> 'streaming' AND old.reasoning IS NOT NULL BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
    """
    CREATE TRIGGER system_prompt_leaves_traces AFTER UPDATE OF system_prompt ON chats
    WHEN old.system_prompt IS NOT NULL BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
)

# Bytes of the text of a user's messages, which must not cost a scan of them.
_STORAGE = (
    "ALTER TABLE users ADD COLUMN storage_bytes INTEGER NOT NULL DEFAULT 0",  # kept by triggers
    """
    UPDATE users SET storage_bytes = stored.total FROM (
        SELECT user, SUM(length(CAST(content AS BLOB))
            + ifnull(length(CAST(reasoning AS BLOB)), 0)) AS total
        FROM messages GROUP BY user
    ) AS stored WHERE stored.user = users.number
    """,
    """
    CREATE TRIGGER message_takes_storage AFTER INSERT ON messages BEGIN
        UPDATE users SET storage_bytes = storage_bytes + length(CAST(new.content AS BLOB))
            + ifnull(length(CAST(new.reasoning AS BLOB)), 0)
        WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER message_changes_storage AFTER UPDATE OF content, reasoning ON messages BEGIN
        UPDATE users SET storage_bytes = storage_bytes
            + length(CAST(new.content AS BLOB)) + ifnull(length(CAST(new.reasoning AS BLOB)), 0)
            - length(CAST(old.content AS BLOB)) - ifnull(length(CAST(old.reasoning AS BLOB)), 0)
        WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER message_frees_storage AFTER DELETE ON messages BEGIN
        UPDATE users SET storage_bytes = storage_bytes - length(CAST(old.content AS BLOB))
            - ifnull(length(CAST(old.reasoning AS BLOB)), 0)
        WHERE number = old.user;
    END
    """,
)

# System prompts count as well: a chat may have 20,000 characters, and a user any number of chats.
_PROMPT_STORAGE = (
    """
    UPDATE users SET storage_bytes = storage_bytes + stored.total FROM (
        SELECT user, SUM(length(CAST(system_prompt AS BLOB))) AS total
        FROM chats WHERE system_prompt IS NOT NULL GROUP BY user
    ) AS stored WHERE stored.user = users.number
    """,
    """
    CREATE TRIGGER prompt_takes_storage AFTER INSERT ON chats WHEN new.system_prompt IS NOT NULL
    BEGIN
        UPDATE users SET storage_bytes = storage_bytes + length(CAST(new.system_prompt AS BLOB))
        WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER prompt_changes_storage AFTER UPDATE OF system_prompt ON chats BEGIN
        UPDATE users SET storage_bytes = storage_bytes
            + ifnull(length(CAST(new.system_prompt AS BLOB)), 0)
            - ifnull(length(CAST(old.system_prompt AS BLOB)), 0)
        WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER prompt_frees_storage AFTER DELETE ON chats WHEN old.system_prompt IS NOT NULL
    BEGIN
        UPDATE users SET storage_bytes = storage_bytes - length(CAST(old.system_prompt AS BLOB))
        WHERE number = old.user;
    END
    """,
)

# What makes creating a chat idempotent, as it is for messages.
_CHAT_CLIENT_IDS = (
    "ALTER TABLE chats ADD COLUMN client_id TEXT",
    """
    CREATE UNIQUE INDEX chats_by_client_id ON chats (user, client_id) WHERE client_id IS NOT NULL
    """,
)

# Chats that are being imported or deleted in slices (`storage.hidden_chats`).
_HIDDEN_CHATS = (
    """
    CREATE TABLE hidden_chats (
        chat INTEGER PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
        user INTEGER NOT NULL  -- the chat's
    ) STRICT
    """,
    """
    CREATE TRIGGER chat_hidden AFTER INSERT ON hidden_chats BEGIN
        UPDATE users SET chat_count = chat_count - 1 WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER chat_shown AFTER DELETE ON hidden_chats BEGIN
        UPDATE users SET chat_count = chat_count + 1 WHERE number = old.user;
    END
    """,
)

# Files, in pieces that are written and read one at a time (`storage.uploads`). A file whose user is
# NULL is removed in slices, so deleting a chat or an account takes no longer for its files.
_FILES = (
    """
    CREATE TABLE files (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user INTEGER REFERENCES users ON DELETE SET NULL,
        name TEXT NOT NULL,
        content_type TEXT,  -- NULL until the upload is complete
        size INTEGER NOT NULL DEFAULT 0,  -- bytes stored so far
        created_at TEXT NOT NULL,
        use_count INTEGER NOT NULL DEFAULT 0,  -- messages; kept by triggers
        unused_hours INTEGER NOT NULL DEFAULT 0  -- of uptime
    ) STRICT
    """,
    "CREATE INDEX files_by_user ON files (user)",
    "CREATE INDEX files_unused ON files (number) WHERE use_count = 0 AND user IS NOT NULL",
    """
    CREATE TABLE file_pieces (
        file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
        position INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (file, position)
    ) STRICT
    """,
    """
    CREATE TABLE attachments (
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
        PRIMARY KEY (message, file)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX attachments_by_file ON attachments (file)",
    # A JSON array of the attached files' public form, which never changes; NULL if there is none.
    "ALTER TABLE messages ADD COLUMN attachments TEXT",
    """
    CREATE TRIGGER file_attached AFTER INSERT ON attachments BEGIN
        UPDATE files SET use_count = use_count + 1, unused_hours = 0 WHERE number = new.file;
    END
    """,
    """
    CREATE TRIGGER file_detached AFTER DELETE ON attachments BEGIN
        UPDATE files SET use_count = use_count - 1,
            user = CASE WHEN use_count > 1 THEN user END
        WHERE number = old.file;
    END
    """,
    """
    CREATE TRIGGER file_changes_storage AFTER UPDATE OF size, user ON files BEGIN
        UPDATE users SET storage_bytes = storage_bytes - old.size WHERE number = old.user;
        UPDATE users SET storage_bytes = storage_bytes + new.size WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER file_leaves_traces AFTER UPDATE OF user ON files WHEN new.user IS NULL BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
)

STEPS: dict[str, Iterable[str]] = {
    "m001_initial": steps_0_1.INITIAL,
    "m002_erasure": steps_0_1.ERASURE,
    "m003_frames": steps_0_1.FRAMES,
    "m004_accounts": _ACCOUNTS,
    "m005_search": _SEARCH,
    "m006_providers": _PROVIDERS,
    "m007_storage": _STORAGE,
    "m008_chat_client_ids": _CHAT_CLIENT_IDS,
    "m009_hidden_chats": _HIDDEN_CHATS,
    "m010_files": _FILES,
    "m011_versions": steps_versions.VERSIONS,
    "m012_chat_order": steps_versions.ORDER,
    "m013_prompt_storage": _PROMPT_STORAGE,
}


class NewerDatabase(Exception):
    """The database was made by a newer version of this application."""


class ForeignDatabase(Exception):
    """The database is another application's."""


def pending(connection: sqlite3.Connection) -> list[str]:
    """Return the steps that a database lacks, or all steps for an empty one. Only reads.

    Raises `NewerDatabase` and `ForeignDatabase`.
    """
    tables = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    applied: set[str] = set()
    if _TABLE in tables:
        rows = connection.execute(f"SELECT name FROM {_TABLE} WHERE migration_set = ?", (_SET,))
        applied = {name for (name,) in rows}
    if applied - STEPS.keys():
        raise NewerDatabase
    if not applied and {name for name in tables if not name.startswith("sqlite_")} - {_TABLE}:
        raise ForeignDatabase
    return [name for name in STEPS if name not in applied]


def applied_at(connection: sqlite3.Connection, step: str) -> datetime:
    """Return when a step was applied, in UTC."""
    row = connection.execute(
        f"SELECT applied_at FROM {_TABLE} WHERE migration_set = ? AND name = ?", (_SET, step)
    ).fetchone()
    return datetime.fromisoformat(row[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the pending steps in order."""
    if not pending(connection):
        return
    # Imported late: it takes a tenth of the start-up time, and most starts have nothing to apply.
    from sqlite_utils import Database, Migrations

    steps = Migrations(_SET)
    for name, statements in STEPS.items():
        apply: Any = partial(_apply, statements)
        steps(name=name)(apply)
    steps.apply(Database(connection, execute_plugins=False))


def _apply(statements: Iterable[str], db: Any) -> None:
    for statement in statements:
        db.conn.execute(statement)
