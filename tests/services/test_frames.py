"""Frames: the reference's four fields, and `seq` only for durable frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import NotFound
from core.records import ChatChange, Message, ReadMark
from services import frames
from services.frames import Frame

NOW = "2026-01-01T00:00:00.000Z"
MESSAGE = Message(7, "msg_1", "chat_1", "Hello 🪶", "assistant", NOW, "complete", "m", None, seq=5)
READ = ReadMark("chat_1", "msg_1", "user", NOW, 0, 6)
GONE = ChatChange("chat_1", None, 7)


def sent(frame: Frame) -> dict[str, Any]:
    """The frame as a client receives it."""
    received: dict[str, Any] = json.loads(frame.encoded)
    return received


@pytest.mark.parametrize("fact", [MESSAGE, READ, GONE], ids=lambda fact: type(fact).__name__)
def test_stored_facts_are_numbered(fact: Message | ReadMark | ChatChange) -> None:
    frame = sent(frames.of(fact))
    assert frame["seq"] == fact.seq
    assert frame["data"] == fact.public()


@pytest.mark.parametrize(
    "frame",
    [
        frames.message(MESSAGE),
        frames.read(READ),
        frames.typing("chat_1", True, NOW),
        frames.delta(MESSAGE, "x", 3, NOW),
        frames.reasoning_delta(MESSAGE, "x", 3, NOW),
    ],
    ids=["message", "read", "typing", "delta", "reasoning"],
)
def test_the_references_fields_are_in_each(frame: Frame) -> None:
    data = sent(frame)["data"]
    assert {"chat_id", "content", "sender", "timestamp"} <= data.keys()
    assert data["content"] == ("Hello 🪶" if frame.type == "message" else "")


def test_signals_have_no_number() -> None:
    for frame in (frames.typing("c", False, NOW), frames.delta(MESSAGE, "", 0, NOW)):
        assert "seq" not in sent(frame)


def test_text_and_reasoning_have_fields_of_their_own() -> None:
    text = sent(frames.delta(MESSAGE, "a", 1, NOW))["data"]
    thought = sent(frames.reasoning_delta(MESSAGE, "b", 2, NOW))["data"]
    assert (text["delta"], text["offset"], text["message_id"]) == ("a", 1, "msg_1")
    assert (thought["reasoning_delta"], thought["reasoning_offset"]) == ("b", 2)
    assert "delta" not in thought
    assert "reasoning_delta" not in text


def test_an_error_names_what_it_answers_as_far_as_it_is_known() -> None:
    known = sent(frames.error(NotFound("chat"), chat_id="chat_1", client_id=None))
    assert known["type"] == "error"
    assert known["data"]["code"] == "not_found"
    assert known["data"]["chat_id"] == "chat_1"
    assert "client_id" not in known["data"]


def test_a_frame_is_encoded_once() -> None:
    frame = frames.message(MESSAGE)
    assert frame.encoded is frame.encoded
