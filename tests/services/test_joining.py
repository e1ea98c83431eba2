"""A socket that joins at any moment gets each frame once, in order, and whole replies."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from storage import chats, messages
from tests.conftest import Client
from tests.services.sockets import FakeSocket


async def committed(rooms: Any, find: Any) -> None:
    """Wait until the writer has stored it, without letting the loop publish it."""
    limit = time.monotonic() + 5
    while not rooms.db.read(find):
        assert time.monotonic() < limit


async def test_a_socket_that_joins_between_a_commit_and_its_publication(
    ada: Client, rooms: Any
) -> None:
    id = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    behind, plain = FakeSocket(user), FakeSocket(user)
    rooms.joining.join(plain, None)
    saying = asyncio.ensure_future(rooms.conversation.submit(user, id, "/slow 1000"))
    await asyncio.sleep(0)  # it is asked for
    await asyncio.sleep(0)  # and handed to the writer
    number = rooms.db.read(chats.check, user.row_id, id)
    await committed(rooms, lambda c: messages.everything(c, number))
    assert plain.frames == []  # durable, and not announced yet
    held = rooms.joining.join(behind, 0)
    assert behind.frames[0]["type"] == "message"
    held.resume()
    await saying
    while plain.frames[-1]["data"].get("status") != "complete" or len(plain.frames) < 3:
        await asyncio.sleep(0.001)
    assert [f for f in behind.frames if f["type"] != "chat"] == plain.frames
    rooms.connections.remove(held)


async def test_a_socket_that_joins_as_a_reply_ends(ada: Client, rooms: Any) -> None:
    id = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    await rooms.conversation.submit(user, id, "Hello")
    number = rooms.db.read(chats.check, user.row_id, id)

    def has_ended(connection: Any) -> bool:
        said = messages.everything(connection, number)
        return len(said) == 2 and said[1].status == "complete"

    while not rooms.conversation.streamed_replies(user.id):
        await asyncio.sleep(0)
    (reply,) = rooms.conversation.streamed_replies(user.id)
    while not reply.is_over and not rooms.db.read(has_ended):
        await asyncio.sleep(0)
        time.sleep(0.001)  # lets the writer store the end before the loop can announce it
    behind = FakeSocket(user)
    held = rooms.joining.join(behind, 0)
    held.resume()
    while not reply.is_over:
        await asyncio.sleep(0)
    assert behind.frames[-1]["data"]["status"] == "complete"
    assert [f["type"] for f in behind.frames].count("typing") == 0
    rooms.connections.remove(held)


@pytest.mark.parametrize("since", [None, 0, "latest"])
async def test_a_socket_that_joins_between_a_deletion_and_its_publication(
    ada: Client, rooms: Any, since: Any
) -> None:
    """It gets no deltas of a reply whose beginning it never saw."""
    id = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    await rooms.conversation.submit(user, id, "/slow 1000")
    while not (replies := rooms.conversation.streamed_replies(user.id)) or not replies[0].text():
        await asyncio.sleep(0.001)
    deleting = asyncio.ensure_future(rooms.chats.delete(user, id))
    await asyncio.sleep(0)  # the write is requested
    await asyncio.sleep(0)  # and handed to the writer
    await committed(rooms, lambda c: chats.model_of(c, id) == "")
    joined = FakeSocket(user)
    held = rooms.joining.join(joined, since)
    replies[0].add("more")
    replies[0].flush()
    await deleting
    while rooms.conversation.count_active():
        await asyncio.sleep(0.001)
    assert [frame for frame in joined.frames if frame["type"] == "typing"] == []
    rooms.connections.remove(held)


async def test_a_socket_that_joins_while_a_reply_is_written_gets_its_text_from_the_beginning(
    ada: Client, rooms: Any
) -> None:
    id = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    await rooms.conversation.submit(user, id, "/slow 1000")
    while not (replies := rooms.conversation.streamed_replies(user.id)) or not replies[0].text():
        await asyncio.sleep(0.001)
    joined = FakeSocket(user)
    held = rooms.joining.join(joined, None)
    while rooms.conversation.count_active():
        await asyncio.sleep(0.001)
    assert joined.text == replies[0].text() == joined.frames[-1]["data"]["content"]
    rooms.connections.remove(held)
