"""Completing the search index in the background, once, and resuming after a stop."""

from __future__ import annotations

from typing import Any

import pytest

from services.indexing import Indexing
from storage import chats, search_index
from storage.connection import Connection
from tests.conftest import Client

MESSAGES = 4


def forget(connection: Connection) -> None:
    """Leave the database as a migration does that changes the rules of the index."""
    connection.execute("INSERT INTO messages_index (messages_index) VALUES ('delete-all')")
    connection.execute(
        "UPDATE search_index SET indexed_from = (SELECT max(number) + 1 FROM messages)"
    )


@pytest.fixture
def indexing(io_loop: Any, ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch) -> Indexing:
    """The indexing of a database whose messages are not in the index."""
    monkeypatch.setattr(search_index, "SLICE_MESSAGES", 1)

    async def prepare() -> None:
        chat = await ada.chat(title="Titled")
        for number in range(MESSAGES // 2):
            await ada.say(chat, f"früh {number}")
        await rooms.db.write(forget)

    io_loop.run_sync(prepare)
    return Indexing(rooms.db)


async def test_it_runs_until_all_messages_are_found(
    indexing: Indexing, ada: Client, rooms: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "quillium")
    user = rooms.accounts.authenticate(ada.credential).user
    assert rooms.db.read(chats.find_with, user.row_id, "fruh", 100, 0).total == 0
    indexing.start()
    assert indexing.task is not None
    await indexing.task
    assert rooms.db.read(chats.find_with, user.row_id, "fruh", 100, 0).total == 1
    told = [record.getMessage() for record in caplog.records if "index" in record.getMessage()]
    assert told[0].startswith("rebuilding the search index")
    assert told[-1] == "the search index is complete"
    shares = [line for line in told if "%" in line]
    assert len(shares) == MESSAGES - 1  # each slice is more than a tenth; the last one is the end
    assert shares == sorted(set(shares))


async def test_nothing_begins_when_nothing_is_left(rooms: Any) -> None:
    indexing = Indexing(rooms.db)
    indexing.start()
    assert indexing.task is None
    await indexing.close()


async def test_it_stops_and_the_next_start_goes_on(indexing: Indexing, rooms: Any) -> None:
    indexing.start()
    await indexing.close()
    assert indexing.task is not None
    assert indexing.task.cancelled()
    again = Indexing(rooms.db)
    again.start()
    assert again.task is not None
    await again.task
    assert rooms.db.read(search_index.progress).is_complete
