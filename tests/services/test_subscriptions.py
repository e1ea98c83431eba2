"""Frame delivery to a socket under races and slow reading."""

from __future__ import annotations

from typing import Any

from core.records import Message
from core.times import calendar_now
from services import frames
from services.connections import ConnectionRegistry
from services.replies import Reply
from services.subscriptions import Sources, Subscription
from tests.services.sockets import ADA, FakeSocket


def subscription(socket: FakeSocket, since: int | None = None, **sources: Any) -> Subscription:
    nothing: dict[str, Any] = {"missed": lambda after: [], "streamed_replies": list}
    return Subscription(socket, Sources(**{**nothing, **sources}), since, receives_chats=True)


def final(content: str, seq: int = 1) -> Message:
    return Message(
        1, "msg_1", "chat_1", content, "assistant", "now", "complete", "m", None, seq=seq
    )


async def test_a_busy_socket_gets_fewer_frames_and_no_less_text() -> None:
    connections, slow, fast = ConnectionRegistry(), FakeSocket(), FakeSocket()
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
    connections, sockets = ConnectionRegistry(), [FakeSocket() for _ in range(5)]
    for socket in sockets:
        connections.add(subscription(socket))
    frame = frames.message(final("x"))
    connections.publish(ADA.id, frame)
    assert all(socket.encoded[0] is frame.encoded for socket in sockets)


async def test_a_reply_of_a_chat_that_is_gone_is_forgotten() -> None:
    slow = FakeSocket()
    held = subscription(slow)
    reply = Reply(final(""), lambda reply, frame: held.deliver(frame, reply), calendar_now)
    slow.is_busy = True
    reply.add("never to be seen")
    reply.is_over = True
    held.resume()
    assert slow.frames == []


def test_numbered_frames_come_from_one_source_at_a_time() -> None:
    socket = FakeSocket()
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
    socket = FakeSocket()
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
    socket = FakeSocket()
    held = subscription(socket, since=4, missed=lambda after: [])
    error = frames.Frame("error", {"code": "storage_unavailable"})
    held.deliver(error)
    assert [frame["type"] for frame in socket.frames] == ["error"]


async def test_a_busy_socket_gets_reasoning_and_text_in_one_frame_each() -> None:
    slow = FakeSocket()
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
