"""Chats that their user can't see: an import that has not ended, and a deletion that has not.

Storing or deleting 100,000 messages takes seconds, and the writer's other users must not wait for
it. So both are done in slices of `SLICE_SECONDS`, while the chat is hidden: it is missing in lists,
counts, searches and replays, and nobody knows its id.
"""

from __future__ import annotations

import time

from storage.connection import Connection

SLICE_SECONDS = 0.01  # of the writer's time
_MESSAGES_AT_ONCE = 500


def hide(connection: Connection, user: int, chat: int) -> None:
    """Hide a user's chat with this row id."""
    connection.execute("INSERT INTO hidden_chats (chat, user) VALUES (?, ?)", (chat, user))


def show(connection: Connection, chat: int) -> None:
    """Make a hidden chat visible."""
    connection.execute("DELETE FROM hidden_chats WHERE chat = ?", (chat,))


def of(connection: Connection, user: int) -> set[int]:
    """Return the row ids of a user's hidden chats."""
    rows = connection.execute("SELECT chat FROM hidden_chats WHERE user = ?", (user,))
    return {chat for (chat,) in rows}


def everything(connection: Connection) -> list[int]:
    """Return the row ids of all users' hidden chats."""
    return [chat for (chat,) in connection.execute("SELECT chat FROM hidden_chats ORDER BY chat")]


def remove(connection: Connection, user: int, chat: int) -> bool:
    """Remove a chat; return whether it is gone. If that takes longer than a slice, hide the rest.

    A chat that is hidden so loses its id, its title and its read marks.
    """
    if remove_slice(connection, chat):
        return True
    hide(connection, user, chat)
    connection.execute(
        "UPDATE chats SET id = 'removed_' || number, title = '', client_id = NULL,"
        " is_archived = 0 WHERE number = ?",
        (chat,),
    )
    connection.execute("DELETE FROM reads WHERE chat = ?", (chat,))
    return False


def remove_slice(connection: Connection, chat: int) -> bool:
    """Delete a chat's messages for one slice, newest first; return whether the chat is gone."""
    until = time.monotonic() + SLICE_SECONDS
    while True:
        rows = connection.execute(
            "SELECT number FROM messages WHERE chat = ? ORDER BY number DESC LIMIT ?",
            (chat, _MESSAGES_AT_ONCE),
        ).fetchall()
        for row in rows:
            connection.execute("DELETE FROM messages WHERE number = ?", row)
            if time.monotonic() > until:
                return False
        if len(rows) < _MESSAGES_AT_ONCE:
            connection.execute("DELETE FROM chats WHERE number = ?", (chat,))
            return True
