"""Run `python -m tests.chaos` for a few seconds instead of minutes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.device import Held, Loss
from tests.chaos.harness import Harness


def test_every_device_holds_what_the_list_says(tmp_path: Path) -> None:
    harness = Harness(tmp_path, seed=3)
    asyncio.run(harness.run(6, settle_every=3))
    assert harness.tally["comparisons"] >= 2
    assert harness.tally["frames"] > 100


def message(seq: int, id: str, content: str = "x", parent_id: str | None = None) -> dict[str, Any]:
    data = {"id": id, "chat_id": "c", "content": content, "sender": "assistant", "reasoning": None}
    return {"type": "message", "data": {**data, "parent_id": parent_id}, "seq": seq}


def typed(offset: int, delta: str) -> dict[str, Any]:
    data = {"message_id": "m", "sender": "assistant", "offset": offset, "delta": delta}
    return {"type": "typing", "data": data}


def reasoned(offset: int, delta: str) -> dict[str, Any]:
    data = {"message_id": "m", "sender": "assistant"}
    return {"type": "typing", "data": data | {"reasoning_delta": delta, "reasoning_offset": offset}}


@pytest.mark.parametrize(
    "frames",
    [
        [reasoned(0, "a"), typed(0, "b"), reasoned(2, "c")],
        [reasoned(0, "a"), typed(0, "b"), message(1, "m", "b")],
        [message(1, "m"), message(1, "m")],
        [message(2, "m"), message(1, "n")],
        [typed(0, "a"), typed(2, "c")],
        [typed(0, "a"), typed(1, "b"), typed(1, "b")],
        [typed(3, "d")],
        [typed(0, "a"), message(1, "m", "ab")],
        [{"type": "error", "data": {"code": "resync_required"}}],
    ],
)
def test_a_device_sees_a_loss(frames: list[dict[str, Any]]) -> None:
    held = Held()
    for frame in frames[:-1]:
        held.take(frame)
    with pytest.raises(Loss):
        held.take(frames[-1])


def test_a_device_holds_the_path_of_a_chat() -> None:
    held = Held()
    for frame in (message(1, "a"), typed(0, "a"), typed(1, "b"), message(2, "m", "ab", "a")):
        held.take(frame)
    assert [m["id"] for m in held.said("c")] == ["a", "m"]
    held.take(message(3, "n", "anew", "a"))  # a version of the last one
    assert [m["id"] for m in held.said("c")] == ["a", "n"]
    held.take(message(4, "o", "of a version", "m"))  # which is not held any more
    held.list_again({"c": [message(1, "a")["data"]]})
    assert [m["id"] for m in held.said("c")] == ["a"]
    held.take({"type": "chat", "data": {"id": "c", "deleted": True}, "seq": 5})
    assert held.said("c") == []
