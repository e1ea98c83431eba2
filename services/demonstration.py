"""Prepare a server for a demo: an account with sample chats, and no rate limit."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, NamedTuple

from assistant.directory import BUILT_IN_MODEL
from core import documents, ids
from core.records import User
from core.times import CalendarTime, rfc3339
from services import Services
from services.chats import EXPORT_FORMAT, EXPORT_VERSION
from services.demo_chats import CHATS, DemoChat

_ICONS = Path(__file__).parent.parent / "static" / "icons"
EMAIL = "demo@quillium.local"
_BETWEEN_MESSAGES = 40.0  # seconds
_HOUR = 3600.0


class Account(NamedTuple):
    user: User
    password: str


async def prepare(services: Services) -> Account:
    """Create the demo account and its chats, oldest first. The server must be empty."""
    password = services.config.demo_password or ids.random_text(12)
    user = await services.administration.add(EMAIL, password)
    unlimited: dict[str, Any] = {"rate_limit_per_minute": 0}
    await services.settings.update_of_admin(unlimited)
    now = services.clock()
    for chat in sorted(CHATS, key=lambda chat: -chat.age_hours):
        await services.imports.run(user, documents.encoded(_document(chat, now)))
    return Account(user, password)


def _document(chat: DemoChat, now: CalendarTime) -> dict[str, Any]:
    """Return a demo chat as an import document."""
    texts = [text for turn in chat.turns for text in turn]
    last = now - chat.age_hours * _HOUR
    times = [
        rfc3339(CalendarTime(last - _BETWEEN_MESSAGES * (len(texts) - number)))
        for number in range(1, len(texts) + 1)
    ]
    messages: list[dict[str, Any]] = [
        {
            "content": text,
            "sender": "assistant" if number % 2 else "user",
            "timestamp": time,
            "status": "complete",
            "model": BUILT_IN_MODEL if number % 2 else None,
        }
        for number, (text, time) in enumerate(zip(texts, times, strict=True))
    ]
    files = [] if chat.picture is None else [_picture(chat.picture)]
    messages[-2]["attachments"] = [file["id"] for file in files]
    described = {
        "title": chat.title,
        "model": BUILT_IN_MODEL,
        "created_at": times[0],
        "updated_at": times[-1],
    }
    return {
        "format": EXPORT_FORMAT,
        "version": EXPORT_VERSION,
        "chat": described,
        "files": files,
        "messages": messages,
    }


def _picture(name: str) -> dict[str, str]:
    """Return an icon of the page as a file of an import document."""
    content = base64.b64encode((_ICONS / name).read_bytes()).decode()
    return {"id": name, "name": name, "content": content}
