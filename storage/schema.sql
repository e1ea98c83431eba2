-- The schema of the newest version, to read. Nothing executes this file: `migrations.py` creates
-- and changes the schema, and a test compares the two. After a new migration, run
--     python -m tests.storage.schema > storage/schema.sql

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
    updated_at TEXT NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0,
    first_seq INTEGER NOT NULL DEFAULT 0,
    is_disabled INTEGER NOT NULL DEFAULT 0,
    last_seen_at TEXT,
    storage_bytes INTEGER NOT NULL DEFAULT 0,
    archived_count INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    token_id TEXT NOT NULL,  -- jti of the refresh token that comes next
    expires_at INTEGER NOT NULL,  -- epoch seconds
    previous_token_id TEXT,
    is_used INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL DEFAULT '',
    last_used_at TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    ends_at INTEGER NOT NULL DEFAULT 0,
    expired_hours INTEGER NOT NULL DEFAULT 0,
    may_set_password INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user);

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,  -- SHA-256 of the key, hexadecimal
    created_at TEXT NOT NULL,
    last_used_at TEXT,
    expires_at INTEGER
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
    last_message INTEGER,
    system_prompt TEXT,
    parameters TEXT NOT NULL DEFAULT '{}',
    client_id TEXT,
    is_pinned INTEGER NOT NULL DEFAULT 0,
    is_archived INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX chats_by_client_id ON chats (user, client_id) WHERE client_id IS NOT NULL;

CREATE INDEX chats_by_user
ON chats (user, is_archived, is_pinned DESC, updated_at DESC, number DESC);

CREATE TRIGGER chat_added AFTER INSERT ON chats BEGIN
    UPDATE users SET chat_count = chat_count + 1 WHERE number = new.user;
END;

CREATE TRIGGER chat_deleted AFTER DELETE ON chats BEGIN
    UPDATE users SET chat_count = chat_count - 1 WHERE number = old.user;
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

CREATE TRIGGER chat_leaves_traces AFTER DELETE ON chats BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER title_leaves_traces AFTER UPDATE OF title ON chats WHEN old.is_titled BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER system_prompt_leaves_traces AFTER UPDATE OF system_prompt ON chats
WHEN old.system_prompt IS NOT NULL BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER chat_archived AFTER UPDATE OF is_archived ON chats BEGIN
    UPDATE users SET archived_count = archived_count + new.is_archived - old.is_archived
    WHERE number = new.user;
END;

CREATE TRIGGER archived_chat_deleted AFTER DELETE ON chats WHEN old.is_archived BEGIN
    UPDATE users SET archived_count = archived_count - 1 WHERE number = old.user;
END;

CREATE TRIGGER prompt_takes_storage AFTER INSERT ON chats WHEN new.system_prompt IS NOT NULL
BEGIN
    UPDATE users SET storage_bytes = storage_bytes + length(CAST(new.system_prompt AS BLOB))
    WHERE number = new.user;
END;

CREATE TRIGGER prompt_changes_storage AFTER UPDATE OF system_prompt ON chats BEGIN
    UPDATE users SET storage_bytes = storage_bytes
        + ifnull(length(CAST(new.system_prompt AS BLOB)), 0)
        - ifnull(length(CAST(old.system_prompt AS BLOB)), 0)
    WHERE number = new.user;
END;

CREATE TRIGGER prompt_frees_storage AFTER DELETE ON chats WHEN old.system_prompt IS NOT NULL
BEGIN
    UPDATE users SET storage_bytes = storage_bytes - length(CAST(old.system_prompt AS BLOB))
    WHERE number = old.user;
END;

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
    error TEXT,  -- JSON
    seq INTEGER NOT NULL DEFAULT 0,
    answers INTEGER,
    reasoning TEXT,
    finish_reason TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    attachments TEXT,
    parent INTEGER,
    has_versions INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX messages_by_chat ON messages (chat, number);

CREATE UNIQUE INDEX messages_by_client_id ON messages (chat, client_id) WHERE client_id IS NOT NULL;

CREATE INDEX messages_streaming ON messages (number) WHERE status = 'streaming';

CREATE INDEX messages_by_seq ON messages (user, seq) WHERE seq > 0;

CREATE INDEX messages_by_parent ON messages (chat, parent, number);

CREATE TRIGGER message_ended AFTER UPDATE OF status ON messages
WHEN (old.status = 'streaming') <> (new.status = 'streaming') BEGIN
    UPDATE chats SET
        unread_count = unread_count
            + CASE WHEN new.status = 'streaming' THEN -1 ELSE 1 END
    WHERE number = new.chat AND new.sender = 'assistant' AND new.number > read_number;
END;

CREATE TRIGGER message_leaves_traces AFTER DELETE ON messages BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER content_leaves_traces AFTER UPDATE OF content ON messages
WHEN old.status <> 'streaming' AND old.content <> '' BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER message_indexed AFTER INSERT ON messages WHEN new.status <> 'streaming' BEGIN
    INSERT INTO messages_index (rowid, owner, content)
    VALUES (new.number, 'u' || new.user, searchable(new.content));
END;

CREATE TRIGGER message_unindexed AFTER DELETE ON messages
WHEN old.status <> 'streaming' AND old.number >= (SELECT indexed_from FROM search_index) BEGIN
    INSERT INTO messages_index (messages_index, rowid, owner, content)
    VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
END;

CREATE TRIGGER message_changed_old AFTER UPDATE OF content, status ON messages
WHEN old.status <> 'streaming' AND old.number >= (SELECT indexed_from FROM search_index) BEGIN
    INSERT INTO messages_index (messages_index, rowid, owner, content)
    VALUES ('delete', old.number, 'u' || old.user, searchable(old.content));
END;

CREATE TRIGGER message_changed_new AFTER UPDATE OF content, status ON messages
WHEN new.status <> 'streaming' AND new.number >= (SELECT indexed_from FROM search_index) BEGIN
    INSERT INTO messages_index (rowid, owner, content)
    VALUES (new.number, 'u' || new.user, searchable(new.content));
END;

CREATE TRIGGER reasoning_leaves_traces AFTER UPDATE OF reasoning ON messages
WHEN old.status <> 'streaming' AND old.reasoning IS NOT NULL BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TRIGGER message_takes_storage AFTER INSERT ON messages BEGIN
    UPDATE users SET storage_bytes = storage_bytes + length(CAST(new.content AS BLOB))
        + ifnull(length(CAST(new.reasoning AS BLOB)), 0)
    WHERE number = new.user;
END;

CREATE TRIGGER message_changes_storage AFTER UPDATE OF content, reasoning ON messages BEGIN
    UPDATE users SET storage_bytes = storage_bytes
        + length(CAST(new.content AS BLOB)) + ifnull(length(CAST(new.reasoning AS BLOB)), 0)
        - length(CAST(old.content AS BLOB)) - ifnull(length(CAST(old.reasoning AS BLOB)), 0)
    WHERE number = new.user;
END;

CREATE TRIGGER message_frees_storage AFTER DELETE ON messages BEGIN
    UPDATE users SET storage_bytes = storage_bytes - length(CAST(old.content AS BLOB))
        - ifnull(length(CAST(old.reasoning AS BLOB)), 0)
    WHERE number = old.user;
END;

CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    INSERT INTO path (chat, number) VALUES (new.chat, new.number);
    UPDATE chats SET
        message_count = message_count + 1,
        unread_count = unread_count
            + (new.sender = 'assistant' AND new.status <> 'streaming'
               AND new.number > read_number),
        last_message = new.number
    WHERE number = new.chat;
END;

CREATE TRIGGER message_moved AFTER UPDATE OF number ON messages BEGIN
    UPDATE path SET number = new.number WHERE chat = new.chat AND number = old.number;
    UPDATE chats SET last_message = new.number WHERE number = new.chat;
END;

CREATE TRIGGER message_leaves_path AFTER DELETE ON messages BEGIN
    DELETE FROM path WHERE chat = old.chat AND number = old.number;
END;

CREATE TRIGGER version_added AFTER INSERT ON messages
WHEN (SELECT COUNT(*) FROM (SELECT 1 FROM messages
    WHERE chat = new.chat AND parent IS new.parent LIMIT 2)) = 2 BEGIN
    UPDATE messages SET has_versions = 1
    WHERE chat = new.chat AND parent IS new.parent AND has_versions = 0;
END;

CREATE TRIGGER version_deleted AFTER DELETE ON messages WHEN old.has_versions BEGIN
    UPDATE messages SET has_versions = 0
    WHERE chat = old.chat AND parent IS old.parent AND (SELECT COUNT(*) FROM (SELECT 1
        FROM messages WHERE chat = old.chat AND parent IS old.parent LIMIT 2)) = 1;
END;

CREATE TRIGGER version_moved AFTER UPDATE OF parent ON messages BEGIN
    UPDATE messages SET has_versions = 0
    WHERE chat = old.chat AND parent IS old.parent AND (SELECT COUNT(*) FROM (SELECT 1
        FROM messages WHERE chat = old.chat AND parent IS old.parent LIMIT 2)) = 1;
    UPDATE messages SET has_versions = (SELECT COUNT(*) FROM (SELECT 1
        FROM messages WHERE chat = new.chat AND parent IS new.parent LIMIT 2)) = 2
    WHERE chat = new.chat AND parent IS new.parent;
END;

CREATE TABLE erasure (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    is_due INTEGER NOT NULL  -- 1: something was deleted since the last time
) STRICT;

CREATE TABLE reads (
    chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
    sender TEXT NOT NULL,
    user INTEGER NOT NULL,  -- the chat's
    seq INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    unread_count INTEGER NOT NULL,
    timestamp TEXT NOT NULL,
    PRIMARY KEY (chat, sender)
) STRICT, WITHOUT ROWID;

CREATE INDEX reads_by_seq ON reads (user, seq);

CREATE TABLE chat_changes (
    chat_id TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_changes_by_seq ON chat_changes (user, seq);

CREATE TABLE void_tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE
) STRICT;

CREATE INDEX void_tokens_by_session ON void_tokens (session, number);

CREATE TABLE sign_in_codes (
    hash TEXT PRIMARY KEY,  -- SHA-256 of the code, hexadecimal
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,  -- epoch seconds
    expired_hours INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_codes_by_user ON sign_in_codes (user);

CREATE INDEX sign_in_codes_by_expiry ON sign_in_codes (expires_at);

CREATE VIRTUAL TABLE messages_index USING fts5 (
    owner, content, content = '', tokenize = "unicode61 remove_diacritics 0"
);

CREATE VIRTUAL TABLE titles_index USING fts5 (
    owner, content, content = '', tokenize = "unicode61 remove_diacritics 0"
);

CREATE TABLE search_index (indexed_from INTEGER NOT NULL) STRICT;

CREATE TABLE hidden_chats (
    chat INTEGER PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    user INTEGER NOT NULL  -- the chat's
) STRICT;

CREATE TRIGGER chat_hidden AFTER INSERT ON hidden_chats BEGIN
    UPDATE users SET chat_count = chat_count - 1 WHERE number = new.user;
END;

CREATE TRIGGER chat_shown AFTER DELETE ON hidden_chats BEGIN
    UPDATE users SET chat_count = chat_count + 1 WHERE number = old.user;
END;

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
) STRICT;

CREATE INDEX files_by_user ON files (user);

CREATE INDEX files_unused ON files (number) WHERE use_count = 0 AND user IS NOT NULL;

CREATE TRIGGER file_changes_storage AFTER UPDATE OF size, user ON files BEGIN
    UPDATE users SET storage_bytes = storage_bytes - old.size WHERE number = old.user;
    UPDATE users SET storage_bytes = storage_bytes + new.size WHERE number = new.user;
END;

CREATE TRIGGER file_leaves_traces AFTER UPDATE OF user ON files WHEN new.user IS NULL BEGIN
    UPDATE erasure SET is_due = 1 WHERE is_due = 0;
END;

CREATE TABLE file_pieces (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    position INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (file, position)
) STRICT;

CREATE TABLE attachments (
    message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    PRIMARY KEY (message, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX attachments_by_file ON attachments (file);

CREATE TRIGGER file_attached AFTER INSERT ON attachments BEGIN
    UPDATE files SET use_count = use_count + 1, unused_hours = 0 WHERE number = new.file;
END;

CREATE TRIGGER file_detached AFTER DELETE ON attachments BEGIN
    UPDATE files SET use_count = use_count - 1,
        user = CASE WHEN use_count > 1 THEN user END
    WHERE number = old.file;
END;

CREATE TABLE path (
    chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
    number INTEGER NOT NULL,  -- the message's
    PRIMARY KEY (chat, number)
) STRICT, WITHOUT ROWID;
