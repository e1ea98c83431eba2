"""Documents to import."""

from __future__ import annotations

from typing import Any

TIME = "2026-01-01T00:00:00.000Z"


def message(content: str = "Hello", sender: str = "user", **more: Any) -> dict[str, Any]:
    return {"content": content, "sender": sender, "timestamp": TIME, **more}


def linked(*said: dict[str, Any]) -> dict[str, Any]:
    """Return an export of these messages, each of which follows the one before it."""
    ids = [None, *(f"msg_{number}" for number in range(len(said)))]
    placed = [
        {**message, "id": id, "parent_id": parent}
        for message, parent, id in zip(said, ids, ids[1:], strict=False)
    ]
    return exported(*placed, leaf_id=ids[-1])


def exported(*said: dict[str, Any], **chat: Any) -> dict[str, Any]:
    """Return a chat with these messages, or with a question and its reply."""
    return {
        "format": "quillium-chat",
        "version": 1,
        "chat": {"title": "Title", "model": "m", **chat},
        "messages": [*said] or [message(), message("Hi", "assistant", model="m")],
    }
