"""What goes over the socket: `{"type", "data"}`, one function for each of the four types.

A frame is made once as a dict and encoded once, for however many sockets it goes to (section 7).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from core.errors import QuilliumError
from core.records import Message, Sender


class Frame(NamedTuple):
    type: str
    data: dict[str, Any]

    def encode(self) -> str:
        return json.dumps(
            {"type": self.type, "data": self.data}, ensure_ascii=False, separators=(",", ":")
        )


def message(stored: Message) -> Frame:
    return Frame("message", stored.public())


def typing(chat_id: str, is_typing: bool, timestamp: str) -> Frame:
    """The user types on one of their devices, or has stopped."""
    data = {"chat_id": chat_id, "sender": "user", "is_typing": is_typing, "timestamp": timestamp}
    return Frame("typing", data)


def delta(reply: Message, text: str, offset: int, timestamp: str) -> Frame:
    """What the assistant has said since the frame before; `offset` is in code points."""
    data = {
        "chat_id": reply.chat_id,
        "sender": "assistant",
        "is_typing": True,
        "timestamp": timestamp,
        "message_id": reply.id,
        "delta": text,
        "offset": offset,
    }
    return Frame("typing", data)


def read(chat_id: str, message_id: str, sender: Sender, unread_count: int, timestamp: str) -> Frame:
    data = {
        "chat_id": chat_id,
        "message_id": message_id,
        "sender": sender,
        "timestamp": timestamp,
        "unread_count": unread_count,
    }
    return Frame("read", data)


def error(cause: QuilliumError, **answers: str | None) -> Frame:
    """`answers` are the `chat_id` and `client_id` of the frame that it answers, where known."""
    known = {name: value for name, value in answers.items() if value is not None}
    return Frame("error", {**cause.public(), **known})
