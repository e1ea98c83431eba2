"""Pages rendered as JSON by SQLite equal the records' public form."""

from __future__ import annotations

import json
from pathlib import Path

from core import ids
from core.records import Message, Usage
from storage import chats, folder, imports, messages, users
from storage.connection import connect

NOW = "2026-01-01T00:00:00.000Z"
TEXTS = [
    '"quoted" \\ back',
    "line\nbreak\ttab\x01\x1f\x7f",
    "😀\u2028\u2029",
    "null",
    "{}",
    "é",
    "1",
]
ERROR = {"code": "model_timeout", "message": 'It "took" long', "details": "\u2028\n"}


async def test_pages_are_what_the_records_say(tmp_path: Path) -> None:
    with folder.locked(tmp_path) as data:
        data.database(lambda doing, share: None).close()
    connection = connect(tmp_path / "quillium.db", writable=True)
    user = users.add(connection, "user_1", "a@b", "A", "x", NOW).row_id

    def message(number: int, text: str) -> Message:
        error = ERROR if number % 3 == 2 else None
        return Message(
            row_id=0,
            id=ids.new("msg"),
            chat_id="",
            content=text,
            sender="assistant" if number % 2 else "user",
            timestamp=NOW,
            status="failed" if error else "complete",
            model="m" if number % 2 else None,
            client_id=f"c{number}" if number % 2 else None,
            error=error,
            reasoning=text if number % 2 else None,
            finish_reason="length" if number % 2 else None,
            usage=Usage(number, 10 * number) if number % 2 else None,
        )

    for count in range(len(TEXTS) + 1):  # the first one is empty
        new = chats.NewChat(
            f"chat_{count}",
            f"{count} {TEXTS[0]}",
            True,
            "m",
            NOW,
            TEXTS[count - 1] if count else None,
            json.dumps({"temperature": 0.5, "reasoning_effort": "low"} if count % 2 else {}),
        )
        said = [message(number, text) for number, text in enumerate(TEXTS[:count])]
        updated_at = f"2026-01-01T00:00:0{count}.000Z"
        imports.add(connection, user, new, updated_at, said)
    page = chats.page(connection, user, 5, 1)
    wanted = [f"chat_{number}" for number in range(len(TEXTS) - 1, len(TEXTS) - 6, -1)]
    assert json.loads(f"[{page.items}]") == [
        chats.find(connection, user, id).public() for id in wanted
    ]
    assert page.total == len(TEXTS) + 1
    found = chats.find_with(connection, user, "quoted", 100, 0)
    assert found.total == len(TEXTS) + 1
    everything = [chats.find(connection, user, f"chat_{n}").public() for n in range(len(TEXTS) + 1)]
    listed = json.loads(f"[{found.items}]")
    matches = [chat.pop("match") for chat in listed]
    assert listed == everything[::-1]
    assert matches[-1] is None  # only in its title
    assert any(match and "\ue000" in match["snippet"] for match in matches)
    id = f"chat_{len(TEXTS)}"
    said = messages.everything(connection, chats.check(connection, user, id))
    for newest_first in (False, True):
        listed = messages.page(connection, user, id, 4, 2, newest_first)
        in_order = said[::-1] if newest_first else said
        assert json.loads(f"[{listed.items}]") == [one.public() for one in in_order[2:6]]
        assert listed.total == len(TEXTS)
    assert messages.page(connection, user, id, 4, 100, False).items == ""
    connection.close()
