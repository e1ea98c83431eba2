"""Create databases for benchmarks, with the application's own SQL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from core import ids
from core.records import Client, Message
from core.times import calendar_now
from core.tokens import Tokens
from storage import chats, folder, imports, sessions, settings, users
from storage.connection import Connection, connect

SECRET = "a key that signs the tokens of the benchmark alone"
NOW = "2026-01-01T00:00:00.000Z"
MESSAGES = 20  # per chat
WORDS = 5_000
_DAY = 24 * 60 * 60


class Account(NamedTuple):
    token: str
    chats: list[str]  # ids of a sample


def make(
    data_dir: Path, sizes: list[int], messages: int, tell: Callable[[str], Any]
) -> list[Account]:
    """Create a database with users, chats per user, and messages per chat.

    There is no rate limit, and tokens are valid for a day.
    """
    tokens = Tokens(SECRET.encode(), _DAY, _DAY)
    generator = random.Random(9)
    vocabulary = [_word(generator) for _ in range(WORDS)]
    accounts = []
    with folder.locked(data_dir) as data:
        asyncio.run(_migrate(data))
        connection = connect(data_dir / "quillium.db", writable=True)
        connection.execute("BEGIN IMMEDIATE")
        unlimited = {"rate_limit_per_minute": 0}
        settings.replace_of_server(connection, unlimited, NOW)
        for number, size in enumerate(sizes):
            tell(f"user {number + 1} of {len(sizes)}")
            email = f"user{number}@example.com"
            user = users.add(connection, ids.new("user"), email, "Ada", "no password", NOW)
            session, now = ids.new("sess"), calendar_now()
            end = int(now) + _DAY
            sessions.add(
                connection,
                user.row_id,
                sessions.NewSession(session, "x", NOW, end, end, Client()),
            )
            made = [
                _chat(connection, user.row_id, messages, generator, vocabulary) for _ in range(size)
            ]
            token = tokens.access_token(user, session, "x", now)
            accounts.append(Account(token, made[-100:]))
        connection.execute("COMMIT")
        for index in ("messages_index", "titles_index"):  # as a clean stop may leave them
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    return accounts


async def _migrate(data: folder.DataFolder) -> None:
    data.database(lambda doing, share: None).close()


def _chat(
    connection: Connection, user: int, messages: int, generator: random.Random, words: list[str]
) -> str:
    id, title = ids.new("chat"), " ".join(generator.choices(words, k=4))
    new = chats.NewChat(id, title, True, "quillium-demo", NOW, None, "{}")
    if not messages:
        chats.add(connection, user, new)
        return id
    said = [
        Message(
            row_id=0,
            id=ids.new("msg"),
            chat_id=id,
            content=" ".join(generator.choices(words, k=20)),
            sender="assistant" if number % 2 else "user",
            timestamp=NOW,
            status="complete",
            model="quillium-demo" if number % 2 else None,
            client_id=None,
        )
        for number in range(messages)
    ]
    imports.add(connection, user, new, NOW, said)
    return id


def _word(generator: random.Random) -> str:
    return "".join(generator.choices("abcdefghijklmnoprstuvw", k=generator.randint(3, 9)))
