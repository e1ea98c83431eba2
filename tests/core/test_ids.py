"""Identifiers are opaque, unique and uniformly distributed."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from core import ids
from tests.conftest import Client


def test_ids_look_as_promised_and_differ() -> None:
    made = {ids.new("chat") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"chat_[0-9A-Za-z]{20}", id) for id in made)


def test_no_character_is_likelier_than_another() -> None:
    text = ids.random_text(100_000)
    assert len(text) == 100_000
    shares = [text.count(character) for character in ids.ALPHABET]
    assert min(shares) > 1300  # 1613 each, and eight standard deviations
    assert max(shares) < 1930


def test_request_ids_are_valid_and_differ() -> None:
    made = {ids.request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"req_[0-9a-f]{24}", id) for id in made)


def test_any_thread_may_make_ids() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(ids.new("msg") for _ in range(2_000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


async def test_ids_and_tokens_are_made_before_a_write(
    anyone: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write may run twice, and on a thread of its own: it only stores what it is given."""
    makers: set[threading.Thread] = set()
    random_text = ids.random_text

    def note(length: int) -> str:
        makers.add(threading.current_thread())
        return random_text(length)

    monkeypatch.setattr(ids, "random_text", note)
    ada = await anyone.register("ada@example.com")
    await ada.login("ada@example.com")
    await ada("POST /auth/refresh", {"refresh_token": ada.tokens["refresh_token"]})
    await ada("POST /users/api-key", {"name": "A key"})
    chat = await ada.chat()
    await ada.say(chat, "Hello")
    await ada("POST /chats/{id}/regenerate", {}, id=chat)
    export = (await ada("GET /chats/{id}/export", id=chat)).body
    assert (await ada("POST /chats/import", export)).status == 201
    await rooms.administration.add("bob@example.com", "a good password")
    assert makers == {threading.main_thread()}
