"""Counters kept by triggers equal real counts, and a first page needs no scan."""

from __future__ import annotations

import json
from typing import Any

from storage import chats, messages
from storage.connection import Connection
from tests.conftest import Client


def counted(connection: Connection) -> list[tuple[Any, ...]]:
    """Rows where a kept number is not what counting finds."""
    wrong = connection.execute(
        "SELECT id, chat_count FROM users u WHERE chat_count <>"
        " (SELECT COUNT(*) FROM chats WHERE user = u.number)"
    ).fetchall()
    wrong += connection.execute(
        "SELECT id, message_count, unread_count, last_message FROM chats c WHERE message_count <>"
        " (SELECT COUNT(*) FROM path WHERE chat = c.number) OR unread_count <>"
        " (SELECT COUNT(*) FROM path JOIN messages USING (chat, number) WHERE chat = c.number"
        "  AND sender = 'assistant' AND status <> 'streaming' AND number > c.read_number)"
        " OR last_message IS NOT (SELECT MAX(number) FROM path WHERE chat = c.number)"
    ).fetchall()
    wrong += connection.execute(
        "SELECT id, storage_bytes FROM users u WHERE storage_bytes <> (SELECT ifnull(SUM("
        "length(CAST(content AS BLOB)) + ifnull(length(CAST(reasoning AS BLOB)), 0)), 0)"
        " FROM messages WHERE user = u.number)"
        " + (SELECT ifnull(SUM(size), 0) FROM files WHERE user = u.number)"
        " + (SELECT ifnull(SUM(length(CAST(system_prompt AS BLOB))), 0) FROM chats"
        " WHERE user = u.number)"
    ).fetchall()
    return wrong


async def test_counters_stay_true(ada: Client, rooms: Any) -> None:
    kept, gone = await ada.chat(), await ada.chat(system_prompt="Be brief, é.")
    await ada("PATCH /chats/{id}", {"system_prompt": "Be kind."}, id=kept)
    socket = await ada.socket()
    for chat in (kept, gone):
        for content in ("one", "/error", "three"):
            await ada.say(chat, content)
            assert rooms.db.read(counted) == []
    await socket.send("read", chat_id=kept)
    await socket.until("read", sender="user")
    await ada("POST /chats/{id}/regenerate", id=kept)
    await ada("POST /chats/{id}/regenerate", id=gone)
    await socket.reply()
    assert rooms.db.read(counted) == []
    export = (await ada("GET /chats/{id}/export", id=kept)).body
    await ada("POST /chats/import", export)
    await ada("DELETE /chats/{id}", id=gone)
    assert rooms.db.read(counted) == []


async def test_the_index_holds_what_the_tables_hold(ada: Client, rooms: Any) -> None:
    chat = await ada.chat(title="first title")
    await ada.say(chat, "remember the goose")
    await ada("POST /chats/{id}/regenerate", id=chat)
    await ada("PATCH /chats/{id}", {"title": "second title"}, id=chat)
    await ada("DELETE /chats/{id}", id=chat)

    def left(connection: Connection) -> list[tuple[Any, ...]]:
        rows = []
        for name in ("messages_index", "titles_index"):
            connection.execute(
                f"CREATE VIRTUAL TABLE temp.{name}_words USING fts5vocab(main, {name}, row)"
            )
            rows += connection.execute(f"SELECT * FROM temp.{name}_words").fetchall()
        return rows

    assert await rooms.db.write(left) == []


async def test_a_first_page_scans_nothing(ada: Client, rooms: Any) -> None:
    """It walks its index for its own rows alone, for ten chats and for a hundred thousand."""
    chat = await ada.chat()
    await ada.say(chat, "Hello")

    def plans(connection: Connection) -> str:
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        page = chats.page(connection, 1, 20, 0)
        id = json.loads(f"[{page.items}]")[0]["id"]
        messages.page(connection, 1, id, 20, 0, newest_first=True)
        connection.set_trace_callback(None)
        return "\n".join(
            str(row[3])
            for statement in statements
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        )

    plan = rooms.db.read(plans)
    assert "USING COVERING INDEX chats_by_user" in plan
    assert "SEARCH path USING PRIMARY KEY" in plan
    assert "SCAN" not in plan.replace("SCAN (subquery-", "")
