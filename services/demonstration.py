"""What `--demo` shows: an account, and chats that the built-in assistant really answers."""

from __future__ import annotations

from typing import Any, NamedTuple

from assistant.directory import BUILT_IN_MODEL
from core import ids
from services import Services

EMAIL = "demo@quillium.local"
CHATS = (
    ("A long story", "/lorem 300"),
    ("Everything that Markdown can do", "/markdown"),
    ("What this assistant understands", "/help"),
    ("First steps", "Hello, my name is Ada. What can you do?"),
)


class Account(NamedTuple):
    email: str
    password: str


async def prepare(services: Services) -> Account:
    """Fill an empty server: an admin's account, chats with something to read, no rate limit."""
    password = ids.random_text(12)
    user = await services.administration.add(EMAIL, password)
    unlimited: dict[str, Any] = {"rate_limit_per_minute": 0}
    await services.settings.update_of_admin(unlimited)
    for title, content in CHATS:
        chat = await services.chats.create(user, title, BUILT_IN_MODEL)
        await services.conversation.submit(user, chat.id, content)
    return Account(EMAIL, password)
