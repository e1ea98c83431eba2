"""A reply as it comes: deltas that join to the text, and watchers that hold up nobody."""

from __future__ import annotations

import asyncio
import time

import pytest

from core.records import Message
from services import frames, replies
from services.frames import Frame
from services.replies import MAX_WAITING, Reply, Watcher

MESSAGE = Message(1, "msg_1", "chat_1", "", "assistant", "now", "streaming", "m", None)


async def test_offsets_count_code_points() -> None:
    published: list[frames.Frame] = []
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), time.time)
    for piece in ("🪶", "é\u0301", "日本", "x"):
        reply.say(piece)
        reply.flush()
    assert [(f.data["offset"], f.data["delta"]) for f in published] == [
        (0, "🪶"),
        (1, "é\u0301"),
        (3, "日本"),
        (5, "x"),
    ]
    assert reply.since(0).data["delta"] == reply.text() == "🪶é\u0301日本x"


async def test_many_pieces_are_few_frames_and_none_is_kept_back() -> None:
    published: list[frames.Frame] = []
    done = asyncio.Event()

    def publish(_: Reply, frame: frames.Frame) -> None:
        published.append(frame)
        if sum(len(f.data["delta"]) for f in published) == 10_000:
            done.set()

    reply = Reply(MESSAGE, publish, time.time)
    for _ in range(10_000):
        reply.say("x")
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
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), time.time)
    reply.announce()
    for piece in pieces:
        reply.say(piece)
    await asyncio.sleep(0.01)  # timers run in the order of their times
    assert [frame.data["delta"] for frame in published] == (pieces or [""])


async def test_so_far_is_what_was_sent() -> None:
    reply = Reply(MESSAGE, lambda _, frame: None, time.time)
    reply.say("sent")
    reply.say(" not yet")
    assert reply.since(0).data["delta"] == "sent"
    reply.flush()
    assert reply.since(0).data["delta"] == "sent not yet"


async def test_a_watcher_that_does_not_read_is_let_go() -> None:
    watcher = Watcher()
    for _ in range(20):
        watcher.put(Frame("typing", {"delta": "x" * (MAX_WAITING // 10)}))
    seen = [frame async for frame in watcher.frames(silence=10)]
    assert 10 <= len(seen) <= 11


async def test_a_watcher_hears_of_silence() -> None:
    watcher, last = Watcher(), Frame("message", {})
    heard = []
    async for frame in watcher.frames(silence=0.001):
        heard.append(frame)
        if frame is None:
            watcher.put(last)
            watcher.end()
    assert heard[-1] is last
    assert heard[0] is None
