"""The first steps of the schema. Like every released step, they never change."""

from __future__ import annotations

INITIAL = (
    """
    CREATE TABLE users (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL UNIQUE,  -- casefolded: addresses compare case-insensitively
        name TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        is_admin INTEGER NOT NULL,
        settings TEXT NOT NULL DEFAULT '{}',  -- JSON, only what was chosen
        settings_updated_at TEXT NOT NULL,
        chat_count INTEGER NOT NULL DEFAULT 0,  -- kept by triggers
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        token_id TEXT NOT NULL,  -- jti of the refresh token that comes next
        expires_at INTEGER NOT NULL  -- epoch seconds
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sessions_by_user ON sessions (user)",
    "CREATE INDEX sessions_by_expiry ON sessions (expires_at)",
    """
    CREATE TABLE rotated_tokens (
        token_id TEXT PRIMARY KEY,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
        rotated_at REAL NOT NULL  -- epoch seconds; kept only while reuse is forgiven
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX rotated_tokens_by_session ON rotated_tokens (session)",
    "CREATE INDEX rotated_tokens_by_time ON rotated_tokens (rotated_at)",
    """
    CREATE TABLE api_keys (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the key, hexadecimal
        created_at TEXT NOT NULL,
        last_used_at TEXT
    ) STRICT
    """,
    "CREATE INDEX api_keys_by_user ON api_keys (user, number)",
    """
    CREATE TABLE server_settings (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        document TEXT NOT NULL,  -- JSON, only what was chosen
        updated_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE chats (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        title TEXT NOT NULL,
        is_titled INTEGER NOT NULL,  -- 0: the first message's opening words become the title
        model TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        read_number INTEGER NOT NULL DEFAULT 0,  -- the last message that the user has read
        message_count INTEGER NOT NULL DEFAULT 0,  -- this and what follows is kept by triggers
        unread_count INTEGER NOT NULL DEFAULT 0,
        last_message INTEGER
    ) STRICT
    """,
    "CREATE INDEX chats_by_user ON chats (user, updated_at DESC, number DESC)",
    """
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
        user INTEGER NOT NULL,  -- the chat's, so that the index can be kept while a chat goes
        sender TEXT NOT NULL CHECK (sender IN ('user', 'assistant')),
        content TEXT NOT NULL,
        timestamp TEXT NOT NULL,
        status TEXT NOT NULL
            CHECK (status IN ('complete', 'streaming', 'stopped', 'interrupted', 'failed')),
        model TEXT,
        client_id TEXT,
        error TEXT  -- JSON
    ) STRICT
    """,
    "CREATE INDEX messages_by_chat ON messages (chat, number)",
    "CREATE UNIQUE INDEX messages_by_client_id ON messages (chat, client_id)"
    " WHERE client_id IS NOT NULL",
    "CREATE INDEX messages_streaming ON messages (number) WHERE status = 'streaming'",
    # What a page shows of a list's size must not cost a scan of the list.
    """
    CREATE TRIGGER chat_added AFTER INSERT ON chats BEGIN
        UPDATE users SET chat_count = chat_count + 1 WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER chat_deleted AFTER DELETE ON chats BEGIN
        UPDATE users SET chat_count = chat_count - 1 WHERE number = old.user;
    END
    """,
    """
    CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
        UPDATE chats SET
            message_count = message_count + 1,
            unread_count = unread_count
                + (new.sender = 'assistant' AND new.status <> 'streaming'
                   AND new.number > read_number),
            last_message = new.number
        WHERE number = new.chat;
    END
    """,
    # A reply counts as unread from the moment that it has ended.
    """
    CREATE TRIGGER message_ended AFTER UPDATE OF status ON messages
    WHEN (old.status = 'streaming') <> (new.status = 'streaming') BEGIN
        UPDATE chats SET
            unread_count = unread_count
                + CASE WHEN new.status = 'streaming' THEN -1 ELSE 1 END
        WHERE number = new.chat AND new.sender = 'assistant' AND new.number > read_number;
    END
    """,
    # The index of all words. Contentless: the text stands in the tables alone, so that what is
    # deleted there is gone. `owner` is a word too, so that a search reads only its user's entries.
    """
    CREATE VIRTUAL TABLE messages_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 2"
    )
    """,
    """
    CREATE VIRTUAL TABLE titles_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 2"
    )
    """,
    """
    CREATE TRIGGER message_indexed AFTER INSERT ON messages WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END
    """,
    """
    CREATE TRIGGER message_unindexed AFTER DELETE ON messages WHEN old.status <> 'streaming' BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END
    """,
    """
    CREATE TRIGGER message_changed_old AFTER UPDATE OF content, status ON messages
    WHEN old.status <> 'streaming' BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END
    """,
    """
    CREATE TRIGGER message_changed_new AFTER UPDATE OF content, status ON messages
    WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END
    """,
    """
    CREATE TRIGGER title_indexed AFTER INSERT ON chats BEGIN
        INSERT INTO titles_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.title));
    END
    """,
    """
    CREATE TRIGGER title_unindexed AFTER DELETE ON chats BEGIN
        INSERT INTO titles_index (titles_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.title));
    END
    """,
    """
    CREATE TRIGGER title_changed AFTER UPDATE OF title ON chats BEGIN
        INSERT INTO titles_index (titles_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.title));
        INSERT INTO titles_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.title));
    END
    """,
)


# What was deleted is erased for good at the next clean stop (`erasure`).
ERASURE = (
    """
    CREATE TABLE erasure (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        is_due INTEGER NOT NULL  -- 1: something was deleted since the last time
    ) STRICT
    """,
    "INSERT INTO erasure (only, is_due) VALUES (1, EXISTS (SELECT 1 FROM users))",
    """
    CREATE TRIGGER message_leaves_traces AFTER DELETE ON messages BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
    # A reply that is being written only grows.
    """
    CREATE TRIGGER content_leaves_traces AFTER UPDATE OF content ON messages
    WHEN old.status <> 'streaming' AND old.content <> '' BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
    """
    CREATE TRIGGER chat_leaves_traces AFTER DELETE ON chats BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
    # The title that a chat has before somebody gives it one is no secret.
    """
    CREATE TRIGGER title_leaves_traces AFTER UPDATE OF title ON chats WHEN old.is_titled BEGIN
        UPDATE erasure SET is_due = 1 WHERE is_due = 0;
    END
    """,
)


# Sequence numbers of frames (contract, section 7; `sequence`).
FRAMES = (
    "ALTER TABLE users ADD COLUMN seq INTEGER NOT NULL DEFAULT 0",  # the last that was given
    # A client that sends a smaller `since` has to reload.
    "ALTER TABLE users ADD COLUMN first_seq INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE messages ADD COLUMN seq INTEGER NOT NULL DEFAULT 0",
    # The number of the user's last message that a reply answers.
    "ALTER TABLE messages ADD COLUMN answers INTEGER",
    "CREATE INDEX messages_by_seq ON messages (user, seq) WHERE seq > 0",
    # The last `read` frame of each sender in a chat makes the ones before it obsolete.
    """
    CREATE TABLE reads (
        chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
        sender TEXT NOT NULL,
        user INTEGER NOT NULL,  -- the chat's
        seq INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        unread_count INTEGER NOT NULL,
        timestamp TEXT NOT NULL,
        PRIMARY KEY (chat, sender)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX reads_by_seq ON reads (user, seq)",
    # So does the last `chat` frame of a chat. The row outlives the chat, to report its deletion.
    """
    CREATE TABLE chat_changes (
        chat_id TEXT PRIMARY KEY,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX chat_changes_by_seq ON chat_changes (user, seq)",
    # Numbers start at the time in epoch seconds, as in `sequence.restart_numbering`: the database
    # may be an old copy that was put back.
    "UPDATE users SET seq = CAST(strftime('%s', 'now') AS INTEGER)",
    "UPDATE users SET first_seq = seq",
    # A reply that is being written stays the last message of its chat.
    """
    CREATE TRIGGER message_moved AFTER UPDATE OF number ON messages BEGIN
        UPDATE chats SET last_message = new.number WHERE number = new.chat;
    END
    """,
)
