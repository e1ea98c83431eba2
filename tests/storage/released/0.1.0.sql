CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
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
    ) STRICT;
CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        token_id TEXT NOT NULL,  -- jti of the refresh token that comes next
        expires_at INTEGER NOT NULL  -- epoch seconds
    ) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE TABLE rotated_tokens (
        token_id TEXT PRIMARY KEY,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
        rotated_at REAL NOT NULL  -- epoch seconds; kept only while reuse is forgiven
    ) STRICT, WITHOUT ROWID;
CREATE INDEX rotated_tokens_by_session ON rotated_tokens (session);
CREATE INDEX rotated_tokens_by_time ON rotated_tokens (rotated_at);
CREATE TABLE api_keys (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        name TEXT NOT NULL,
        prefix TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the key, hexadecimal
        created_at TEXT NOT NULL,
        last_used_at TEXT
    ) STRICT;
CREATE INDEX api_keys_by_user ON api_keys (user, number);
CREATE TABLE server_settings (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        document TEXT NOT NULL,  -- JSON, only what was chosen
        updated_at TEXT NOT NULL
    ) STRICT;
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
    ) STRICT;
CREATE INDEX chats_by_user ON chats (user, updated_at DESC, number DESC);
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
    ) STRICT;
CREATE INDEX messages_by_chat ON messages (chat, number);
CREATE UNIQUE INDEX messages_by_client_id ON messages (chat, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_streaming ON messages (number) WHERE status = 'streaming';
CREATE TRIGGER chat_added AFTER INSERT ON chats BEGIN
        UPDATE users SET chat_count = chat_count + 1 WHERE number = new.user;
    END;
CREATE TRIGGER chat_deleted AFTER DELETE ON chats BEGIN
        UPDATE users SET chat_count = chat_count - 1 WHERE number = old.user;
    END;
CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
        UPDATE chats SET
            message_count = message_count + 1,
            unread_count = unread_count
                + (new.sender = 'assistant' AND new.status <> 'streaming'
                   AND new.number > read_number),
            last_message = new.number
        WHERE number = new.chat;
    END;
CREATE TRIGGER message_ended AFTER UPDATE OF status ON messages
    WHEN (old.status = 'streaming') <> (new.status = 'streaming') BEGIN
        UPDATE chats SET
            unread_count = unread_count
                + CASE WHEN new.status = 'streaming' THEN -1 ELSE 1 END
        WHERE number = new.chat AND new.sender = 'assistant' AND new.number > read_number;
    END;
CREATE VIRTUAL TABLE messages_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
CREATE VIRTUAL TABLE titles_index USING fts5 (
        owner, content, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
CREATE TRIGGER message_indexed AFTER INSERT ON messages WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END;
CREATE TRIGGER message_unindexed AFTER DELETE ON messages WHEN old.status <> 'streaming' BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END;
CREATE TRIGGER message_changed_old AFTER UPDATE OF content, status ON messages
    WHEN old.status <> 'streaming' BEGIN
        INSERT INTO messages_index (messages_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
    END;
CREATE TRIGGER message_changed_new AFTER UPDATE OF content, status ON messages
    WHEN new.status <> 'streaming' BEGIN
        INSERT INTO messages_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.content));
    END;
CREATE TRIGGER title_indexed AFTER INSERT ON chats BEGIN
        INSERT INTO titles_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.title));
    END;
CREATE TRIGGER title_unindexed AFTER DELETE ON chats BEGIN
        INSERT INTO titles_index (titles_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.title));
    END;
CREATE TRIGGER title_changed AFTER UPDATE OF title ON chats BEGIN
        INSERT INTO titles_index (titles_index, rowid, owner, content)
        VALUES ('delete', old.number, 'u' || old.user, searchable(old.title));
        INSERT INTO titles_index (rowid, owner, content)
        VALUES (new.number, 'u' || new.user, searchable(new.title));
    END;
INSERT INTO _sqlite_migrations (id, migration_set, name, applied_at) VALUES (1, 'quillium', 'm001_initial', '2026-11-24 04:48:47.210934+00:00');
INSERT INTO users (number, id, email, email_key, name, password_hash, is_admin, settings, settings_updated_at, created_at, updated_at) VALUES (1, 'user_1wIk5pet1K3KykcOM1Nj', 'ada@example.com', 'ada@example.com', 'ada', '$2b$04$meFr19xPhlN0PUm7RniGHOC6Wyvixtx6a5VImUZolfTKcSdB21E/C', 1, '{}', '2026-11-24T04:48:47.994Z', '2026-11-24T04:48:47.994Z', '2026-11-24T04:48:47.994Z');
INSERT INTO sessions (id, user, token_id, expires_at) VALUES ('sess_lUow6bL56HdF4l09X3nt', 1, 'HVxcffXCR7tomsfE9UNvNO', 1796100527);
INSERT INTO api_keys (number, id, user, name, prefix, hash, created_at, last_used_at) VALUES (1, 'key_OXUuojvaGGZr9CKXHWH2', 1, 'API key', 'qk_RLpLSho', 'cb60aa270e274f0766b8c1a0b5c70043d88a2ffa05579ea16eccfb6719062664', '2026-11-24T04:48:48.055Z', NULL);
INSERT INTO server_settings (only, document, updated_at) VALUES (1, '{"system_prompt": "Be kind."}', '2026-11-24T04:48:48.067Z');
INSERT INTO chats (number, id, user, title, is_titled, model, created_at, updated_at, read_number) VALUES (1, 'chat_1azpnLFYK4DCH6pCyvOe', 1, 'Hello, my name is Ada.', 1, 'quillium-demo', '2026-11-24T04:48:48.010Z', '2026-11-24T04:48:48.044Z', 0);
INSERT INTO messages (number, id, chat, user, sender, content, timestamp, status, model, client_id, error) VALUES (1, 'msg_Kof0cQmSFNvmr5lBuPgi', 1, 1, 'user', 'Hello, my name is Ada.', '2026-11-24T04:48:48.023Z', 'complete', NULL, NULL, NULL);
INSERT INTO messages (number, id, chat, user, sender, content, timestamp, status, model, client_id, error) VALUES (2, 'msg_7yQb8RY830jF1XsPL2wO', 1, 1, 'assistant', 'Nice to meet you, Ada! I will remember your name.', '2026-11-24T04:48:48.028Z', 'complete', 'quillium-demo', NULL, NULL);
INSERT INTO messages (number, id, chat, user, sender, content, timestamp, status, model, client_id, error) VALUES (3, 'msg_AfwOMXNTG32XfGKmRjrn', 1, 1, 'user', '/error', '2026-11-24T04:48:48.041Z', 'complete', NULL, 'once', NULL);
INSERT INTO messages (number, id, chat, user, sender, content, timestamp, status, model, client_id, error) VALUES (4, 'msg_xMnH8Oa9wW7bdFDWOQiR', 1, 1, 'assistant', 'This reply is about to fail', '2026-11-24T04:48:48.044Z', 'failed', 'quillium-demo', NULL, '{"code": "model_unavailable", "message": "The model is not available", "details": "This is the failure that /error asks for."}');
