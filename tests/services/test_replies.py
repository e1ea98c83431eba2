"""A reply in progress: its deltas join to its text."""

from __future__ import annotations

import asyncio

import pytest

from core.records import Message
from core.times import calendar_now
from services import frames, replies
from services.replies import Position, Reply

MESSAGE = Message(1, "msg_1", "chat_1", "", "assistant", "now", "streaming", "m", None)


async def test_offsets_count_code_points() -> None:
    published: list[frames.Frame] = []
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), calendar_now)
    for piece in ("🪶", "é\u0301", "日本", "x"):
        reply.add(piece)
        reply.flush()
    assert [(f.data["offset"], f.data["delta"]) for f in published] == [
        (0, "🪶"),
        (1, "é\u0301"),
        (3, "日本"),
        (5, "x"),
    ]
    assert reply.since(Position())[0].data["delta"] == reply.text() == "🪶é\u0301日本x"


async def test_many_pieces_are_few_frames_and_none_is_kept_back() -> None:
    published: list[frames.Frame] = []
    done = asyncio.Event()

    def publish(_: Reply, frame: frames.Frame) -> None:
        published.append(frame)
        if sum(len(f.data["delta"]) for f in published) == 10_000:
            done.set()

    reply = Reply(MESSAGE, publish, calendar_now)
    for _ in range(10_000):
        reply.add("x")
    assert published[0].data["delta"] == "x"  # the first word goes out at once
    await done.wait()  # and the rest without another word
    assert len(published) < 100
    assert "".join(f.data["delta"] for f in published) == reply.text()


@pytest.mark.parametrize("pieces", [[], ["a"], ["a", "b"]])
async def test_typing_is_told_only_while_there_is_no_word(
    monkeypatch: pytest.MonkeyPatch, pieces: list[str]
) -> None:
    monkeypatch.setattr(replies, "DELTA_SECONDS", 0.001)
    published: list[frames.Frame] = []
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), calendar_now)
    reply.announce()
    for piece in pieces:
        reply.add(piece)
    await asyncio.sleep(0.01)  # timers run in the order of their times
    assert [frame.data["delta"] for frame in published] == (pieces or [""])


async def test_so_far_is_what_was_sent() -> None:
    reply = Reply(MESSAGE, lambda _, frame: None, calendar_now)
    reply.add("sent")
    reply.add(" not yet")
    assert reply.since(Position())[0].data["delta"] == "sent"
    reply.flush()
    assert reply.since(Position())[0].data["delta"] == "sent not yet"


async def test_a_closed_reply_publishes_nothing_more() -> None:
    published: list[frames.Frame] = []
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), calendar_now)
    reply.announce()
    reply.add("sent")
    reply.add(" not yet")  # waits for its timer
    reply.close()
    reply.flush()
    reply.add(" and never")
    await asyncio.sleep(2 * replies.DELTA_SECONDS)
    assert [frame.data["delta"] for frame in published] == ["sent"]
