"""The frames of the WebSocket, `{"type", "data"}`: one function for each type.

A frame is encoded once, however many sockets receive it. Its data begins with the four fields of
the reference; `content` is empty in all but `message` frames (contract, sections 1 and 7).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from core import documents
from core.errors import QuilliumError
from core.records import ChatChange, Message, ReadMark


@dataclass(frozen=True)
class Frame:
    """A WebSocket frame. Only frames of stored facts have a `seq`."""

    type: str
    data: dict[str, Any]
    seq: int | None = None

    @functools.cached_property
    def encoded(self) -> bytes:
        """Return the frame as JSON. It is encoded on first use: most users have no open socket."""
        frame: dict[str, Any] = {"type": self.type, "data": self.data}
        if self.seq is not None:
            frame["seq"] = self.seq
        return documents.encoded(frame)


def message(stored: Message) -> Frame:
    """Return the frame of a stored message."""
    return Frame("message", stored.public(), stored.seq)


def read(mark: ReadMark) -> Frame:
    """Return the frame of a new read position."""
    return Frame("read", mark.public(), mark.seq)


def chat(change: ChatChange) -> Frame:
    """Return the frame of a created, changed or deleted chat, for sockets with `since` only."""
    return Frame("chat", change.public(), change.seq)


def of(fact: Message | ReadMark | ChatChange) -> Frame:
    """Return the frame of a stored fact."""
    if isinstance(fact, Message):
        return message(fact)
    return read(fact) if isinstance(fact, ReadMark) else chat(fact)


def typing(chat_id: str, is_typing: bool, timestamp: str) -> Frame:
    """Return a frame that says whether the user is typing on one of their devices."""
    return Frame(
        "typing",
        {
            "chat_id": chat_id,
            "content": "",
            "sender": "user",
            "timestamp": timestamp,
            "is_typing": is_typing,
        },
    )


def delta(reply: Message, text: str, offset: int, timestamp: str) -> Frame:
    """Return a delta of a reply's text that begins at `offset`, in code points."""
    return _delta(reply, timestamp, delta=text, offset=offset)


def reasoning_delta(reply: Message, text: str, offset: int, timestamp: str) -> Frame:
    """Return a delta of a reply's reasoning that begins at `offset`, in code points."""
    return _delta(reply, timestamp, reasoning_delta=text, reasoning_offset=offset)


def _delta(reply: Message, timestamp: str, **added: str | int) -> Frame:
    data = {
        "chat_id": reply.chat_id,
        "content": "",
        "sender": "assistant",
        "timestamp": timestamp,
        "is_typing": True,
        "message_id": reply.id,
        **added,
    }
    return Frame("typing", data)


def error(cause: QuilliumError, **answers: str | None) -> Frame:
    """Return an error frame; `answers` are `chat_id` and `client_id` of the frame at fault."""
    known = {name: value for name, value in answers.items() if value is not None}
    return Frame("error", {**cause.public(), **known})
