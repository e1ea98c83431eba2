"""A turn: the first reason to end early wins, and a finished turn stays finished."""

from __future__ import annotations

import asyncio

import pytest

from core.records import Message
from core.times import calendar_now
from services import frames
from services.replies import Reply
from services.turn import ReplyState, Turn
from services.watchers import Watcher

MESSAGE = Message(1, "msg_1", "chat_1", "", "assistant", "now", "streaming", "m", None)


def test_the_first_reason_counts() -> None:
    turn = Turn(0.0)
    assert (turn.state, turn.cut) == (ReplyState.WAITING, None)
    turn.cut_short("stopped")
    turn.cut_short("interrupted")
    assert turn.cut == "stopped"


async def test_a_reply_that_is_streamed_is_cancelled_at_once() -> None:
    turn = Turn(0.0)

    async def stream() -> None:
        async with asyncio.timeout(None) as turn.streaming:
            turn.enter(ReplyState.STREAMING)
            turn.cut_short("stopped")
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await stream()


async def test_a_reply_whose_end_is_being_stored_is_not_cancelled() -> None:
    turn = Turn(0.0)
    async with asyncio.timeout(None) as turn.streaming:
        turn.enter(ReplyState.ENDING)
        turn.cut_short("stopped")
        await asyncio.sleep(0)
        assert turn.streaming is not None
        assert turn.streaming.when() is None


async def test_a_reply_that_is_over_publishes_nothing_and_stays_over() -> None:
    published: list[frames.Frame] = []
    reply = Reply(MESSAGE, lambda _, frame: published.append(frame), calendar_now)
    watchers = [Watcher(), Watcher()]
    turn = Turn(0.0, watchers=[*watchers], reply=reply)
    turn.enter(ReplyState.STREAMING)
    assert not reply.is_over
    turn.enter(ReplyState.OVER)
    reply.add("late")
    reply.flush()
    assert published == []
    for watcher in watchers:
        assert [frame async for frame in watcher.frames(10)] == []
    turn.enter(ReplyState.ENDING)
    assert turn.state is ReplyState.OVER


def test_a_turn_without_a_reply_ends() -> None:
    turn = Turn(0.0)
    turn.enter(ReplyState.OVER)
    assert turn.state is ReplyState.OVER
