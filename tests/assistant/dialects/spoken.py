"""A dialect: the bytes that a server sends, and the reply that must result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

STREAM = "text/event-stream"
JSON = "application/json"


@dataclass(frozen=True)
class Dialect:
    """One way to answer "Hello", and its outcome.

    `error` is part of the words of a failure; with one, `finish` has no meaning.
    """

    name: str
    body: bytes
    text: str = "Hello"
    finish: str = "stop"
    reasoning: str = ""
    usage: tuple[int, int] | None = None
    error: str = ""
    tools: tuple[tuple[str, str], ...] = ()  # names and arguments
    content_type: str = STREAM
    status: str = "200 OK"


def data(*events: Any, end: str = "\n") -> bytes:
    """A stream of events; strings are sent as they are."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in events]
    return "".join(f"data: {text}{end}{end}" for text in texts).encode()


def choice(delta: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **more}],
    }


def whole(message: Any, finish: Any = "stop", **more: Any) -> bytes:
    """An answer that is not streamed."""
    chosen = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"object": "chat.completion", "choices": [chosen], **more}).encode()


def usage(prompt: int, completion: int) -> dict[str, Any]:
    """The counts of tokens, as OpenAI writes them."""
    return {
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
    }


def call(name: str | None, arguments: Any, index: int | None = 0, id: str | None = None) -> Any:
    """A delta with a piece of a tool call."""
    function: dict[str, Any] = {"arguments": arguments} | ({"name": name} if name else {})
    piece: dict[str, Any] = {"type": "function", "function": function}
    if index is not None:
        piece["index"] = index
    return {"tool_calls": [piece | ({"id": id} if id else {})]}


ROLE = choice({"role": "assistant", "content": "", "refusal": None})
HEL, LO = choice({"content": "Hel"}), choice({"content": "lo"})
STOP = choice({}, "stop")
