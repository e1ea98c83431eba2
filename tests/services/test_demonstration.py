"""Sample chats of `--demo`: valid, in order, and using every feature of the page."""

from __future__ import annotations

import json
from typing import Any

from services import demonstration
from services.demo_chats import CHATS
from storage import chats, messages


async def test_a_demo_has_a_dozen_chats_over_some_weeks(rooms: Any) -> None:
    account = await demonstration.prepare(rooms)
    assert account.user.email == demonstration.EMAIL
    page = rooms.db.read(chats.page, 1, 100, 0)
    assert page.total == len(CHATS) == 12
    for chat, demo in zip(_items(page), CHATS, strict=True):
        assert chat["title"] == demo.title
        assert chat["message_count"] == 2 * len(demo.turns)
        assert chat["unread_count"] == 0
        said = rooms.db.read(messages.everything, rooms.db.read(chats.check, 1, chat["id"]))
        times = [message.timestamp for message in said]
        assert times == sorted(times)
        assert times[-1] == chat["updated_at"]
        assert [message.sender for message in said] == ["user", "assistant"] * len(demo.turns)
        pictures = [file.name for message in said for file in message.attachments]
        assert pictures == ([demo.picture] if demo.picture else [])


def test_the_chats_show_what_the_page_can_display() -> None:
    texts = "".join(text for chat in CHATS for turn in chat.turns for text in turn)
    for wanted in ("```python", "```sql", "|---", "- [x]", "$$", "> ", "**", "東京", "قهوة"):
        assert wanted in texts


def _items(page: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(f"[{page.items}]")
    return items
