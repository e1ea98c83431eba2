"""What a socket gets, whatever happens at the same moment and however slowly it reads."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from core.records import Caller, Message, User
from core.times import calendar_now
from services import frames
from services.connections import ConnectionRegistry
from services.replies import Reply
from services.subscriptions import Sources, Subscription
from storage import chats, messages
from tests.conftest import Client

ADA = User(1, "user_1", "ada@example.com", "Ada", True, "now", "now")


class Slow:
    """A socket that takes what it is sent when the test says so."""

    def __init__(self, user: User = ADA) -> None:
        self.caller = Caller(user)
        self.is_busy = False
        self.frames: list[dict[str, Any]] = []
        self.encoded: list[bytes] = []
        self.closed_with: int | None = None

    def send(self, encoded: bytes) -> None:
        self.encoded.append(encoded)
        self.frames.append(json.loads(encoded))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self.closed_with = code

    @property
    def text(self) -> str:
        """What was typed, joined; each delta has to begin where the one before ended."""
        typed = ""
        for frame in self.frames:
            if frame["type"] == "typing":
                assert frame["data"]["offset"] == len(typed)
                typed += frame["data"]["delta"]
        return typed


def subscription(socket: Slow, since: int | None = None, **sources: Any) -> Subscription:
    nothing: dict[str, Any] = {"missed": lambda after: [], "streamed_replies": list}
    return Subscription(socket, Sources(**{**nothing, **sources}), since, receives_chats=True)


def final(content: str, seq: int = 1) -> Message:
    return Message(
        1, "msg_1", "chat_1", content, "assistant", "now", "complete", "m", None, seq=seq
    )


async def test_a_busy_socket_gets_fewer_frames_and_no_less_text() -> None:
    connections, slow, fast = ConnectionRegistry(), Slow(), Slow()
    held = subscription(slow)
    for each in (held, subscription(fast)):
        connections.add(each)

    def publish(reply: Reply, frame: frames.Frame) -> None:
        connections.publish(ADA.id, frame, reply)

    reply = Reply(final(""), publish, calendar_now)
    for piece in ("It ", "was "):
        reply.add(piece)
        reply.flush()
    slow.is_busy = True
    for piece in ("a ", "dark ", "and "):
        reply.add(piece)
        reply.flush()
    assert (slow.text, fast.text) == ("It was ", "It was a dark and ")
    slow.is_busy = False
    held.resume()
    assert slow.text == fast.text
    assert (len(slow.frames), len(fast.frames)) == (3, 5)
    held.resume()
    assert len(slow.frames) == 3
    slow.is_busy = True
    reply.add("stormy night")
    reply.flush()
    connections.publish(ADA.id, frames.message(final(reply.text())))
    for socket in (slow, fast):  # the text is whole before its end is told
        assert socket.frames[-1]["data"]["content"] == socket.text == reply.text()


async def test_a_frame_is_encoded_once() -> None:
    connections, sockets = ConnectionRegistry(), [Slow() for _ in range(5)]
    for socket in sockets:
        connections.add(subscription(socket))
    frame = frames.message(final("x"))
    connections.publish(ADA.id, frame)
    assert all(socket.encoded[0] is frame.encoded for socket in sockets)


async def test_a_reply_of_a_chat_that_is_gone_is_forgotten() -> None:
    slow = Slow()
    held = subscription(slow)
    reply = Reply(final(""), lambda reply, frame: held.deliver(frame, reply), calendar_now)
    slow.is_busy = True
    reply.add("never to be seen")
    reply.is_over = True
    held.resume()
    assert slow.frames == []


def test_numbered_frames_come_from_one_source_at_a_time() -> None:
    socket = Slow()
    stored = [frames.message(final(str(seq), seq)) for seq in (5, 6, 7)]
    held = subscription(
        socket, since=4, missed=lambda after: [f for f in stored if (f.seq or 0) > after][:2]
    )
    live = frames.message(final("7", 7))
    held.resume()
    held.deliver(live)  # not yet: it will come from the store
    held.deliver(frames.typing("chat_1", True, "now"))
    held.resume()
    held.resume()
    held.deliver(live)  # announced late: it came from the store already
    following = frames.message(final("8", 8))
    held.deliver(following)
    assert [frame.get("seq") for frame in socket.frames] == [5, 6, 7, 8]


def test_what_is_asked_for_twice_does_not_overtake_what_was_missed() -> None:
    socket = Slow()
    stored = [frames.message(final(str(seq), seq)) for seq in (5, 6)]
    held = subscription(
        socket, since=4, missed=lambda after: [f for f in stored if (f.seq or 0) > after][:1]
    )
    held.resume()
    held.answer(stored[1])  # comes with what was missed
    held.answer(stored[0])  # was sent already
    held.resume()
    held.resume()
    held.answer(stored[1])
    assert [frame["seq"] for frame in socket.frames] == [5, 5, 6, 6]


def test_errors_are_told_to_one_who_catches_up() -> None:
    socket = Slow()
    held = subscription(socket, since=4, missed=lambda after: [])
    error = frames.Frame("error", {"code": "storage_unavailable"})
    held.deliver(error)
    assert [frame["type"] for frame in socket.frames] == ["error"]


async def committed(rooms: Any, find: Any) -> None:
    """Wait until the writer has stored it, without letting the loop announce it."""
    limit = time.monotonic() + 5
    while not rooms.db.read(find):
        assert time.monotonic() < limit


async def test_one_who_joins_between_commit_and_announcement(ada: Client, rooms: Any) -> None:
    id = await ada.chat()
    user = rooms.accounts.authenticate(ada.credential).user
    behind, plain = Slow(user), Slow(user)
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


async def test_one_who_joins_as_a_reply_ends(ada: Client, rooms: Any) -> None:
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
    behind = Slow(user)
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
    joined = Slow(user)
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
    joined = Slow(user)
    held = rooms.joining.join(joined, None)
    while rooms.conversation.count_active():
        await asyncio.sleep(0.001)
    assert joined.text == replies[0].text() == joined.frames[-1]["data"]["content"]
    rooms.connections.remove(held)


async def test_a_busy_socket_gets_reasoning_and_text_in_one_frame_each() -> None:
    slow = Slow()
    held = subscription(slow)
    reply = Reply(final(""), lambda reply, frame: held.deliver(frame, reply), calendar_now)
    reply.add_reasoning("I ")
    reply.flush()
    slow.is_busy = True
    for piece in ("have ", "thought."):
        reply.add_reasoning(piece)
        reply.flush()
    for piece in ("I ", "say."):
        reply.add(piece)
        reply.flush()
    slow.is_busy = False
    held.resume()
    assert [list(frame["data"].items())[-2:] for frame in slow.frames] == [
        [("reasoning_delta", "I "), ("reasoning_offset", 0)],
        [("reasoning_delta", "have thought."), ("reasoning_offset", 2)],
        [("delta", "I say."), ("offset", 0)],
    ]
