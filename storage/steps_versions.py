"""The migration steps for versions of messages, and for the order of chats."""

# Versions of messages (`storage.versions`): the tree, and the path through it that lists show.
VERSIONS = (
    "ALTER TABLE messages ADD COLUMN parent INTEGER",  # NULL: a first message
    # Whether the parent has other children, so that a list counts versions only where there are
    # any; kept by triggers.
    "ALTER TABLE messages ADD COLUMN has_versions INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE messages SET parent = earlier.number FROM (
        SELECT number AS child, lag(number) OVER (PARTITION BY chat ORDER BY number) AS number
        FROM messages
    ) AS earlier WHERE earlier.child = messages.number
    """,
    "CREATE INDEX messages_by_parent ON messages (chat, parent, number)",
    """
    CREATE TABLE path (
        chat INTEGER NOT NULL REFERENCES chats ON DELETE CASCADE,
        number INTEGER NOT NULL,  -- the message's
        PRIMARY KEY (chat, number)
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO path (chat, number) SELECT chat, number FROM messages ORDER BY chat, number",
    "DROP TRIGGER message_added",
    """
    CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
        INSERT INTO path (chat, number) VALUES (new.chat, new.number);
        UPDATE chats SET
            message_count = message_count + 1,
            unread_count = unread_count
                + (new.sender = 'assistant' AND new.status <> 'streaming'
                   AND new.number > read_number),
            last_message = new.number
        WHERE number = new.chat;
    END
    """,
    "DROP TRIGGER message_moved",
    """
    CREATE TRIGGER message_moved AFTER UPDATE OF number ON messages BEGIN
        UPDATE path SET number = new.number WHERE chat = new.chat AND number = old.number;
        UPDATE chats SET last_message = new.number WHERE number = new.chat;
    END
    """,
    """
    CREATE TRIGGER message_leaves_path AFTER DELETE ON messages BEGIN
        DELETE FROM path WHERE chat = old.chat AND number = old.number;
    END
    """,
    """
    CREATE TRIGGER version_added AFTER INSERT ON messages
    WHEN (SELECT COUNT(*) FROM (SELECT 1 FROM messages
        WHERE chat = new.chat AND parent IS new.parent LIMIT 2)) = 2 BEGIN
        UPDATE messages SET has_versions = 1
        WHERE chat = new.chat AND parent IS new.parent AND has_versions = 0;
    END
    """,
    """
    CREATE TRIGGER version_deleted AFTER DELETE ON messages WHEN old.has_versions BEGIN
        UPDATE messages SET has_versions = 0
        WHERE chat = old.chat AND parent IS old.parent AND (SELECT COUNT(*) FROM (SELECT 1
            FROM messages WHERE chat = old.chat AND parent IS old.parent LIMIT 2)) = 1;
    END
    """,
    # A streaming reply stays last: its parent becomes the message that was stored meanwhile.
    """
    CREATE TRIGGER version_moved AFTER UPDATE OF parent ON messages BEGIN
        UPDATE messages SET has_versions = 0
        WHERE chat = old.chat AND parent IS old.parent AND (SELECT COUNT(*) FROM (SELECT 1
            FROM messages WHERE chat = old.chat AND parent IS old.parent LIMIT 2)) = 1;
        UPDATE messages SET has_versions = (SELECT COUNT(*) FROM (SELECT 1
            FROM messages WHERE chat = new.chat AND parent IS new.parent LIMIT 2)) = 2
        WHERE chat = new.chat AND parent IS new.parent;
    END
    """,
)

# Chats are listed by whether they are archived, pinned ones first.
ORDER = (
    "ALTER TABLE chats ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE chats ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE users ADD COLUMN archived_count INTEGER NOT NULL DEFAULT 0",  # kept by triggers
    "DROP INDEX chats_by_user",
    """
    CREATE INDEX chats_by_user
    ON chats (user, is_archived, is_pinned DESC, updated_at DESC, number DESC)
    """,
    """
    CREATE TRIGGER chat_archived AFTER UPDATE OF is_archived ON chats BEGIN
        UPDATE users SET archived_count = archived_count + new.is_archived - old.is_archived
        WHERE number = new.user;
    END
    """,
    """
    CREATE TRIGGER archived_chat_deleted AFTER DELETE ON chats WHEN old.is_archived BEGIN
        UPDATE users SET archived_count = archived_count - 1 WHERE number = old.user;
    END
    """,
)
