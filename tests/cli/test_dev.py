"""A test backend goes back to its seed (contract, section 11)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cli.dev import SeededServer
from core.errors import Conflict
from core.options import ConfigError
from services import Services
from tests.conftest import Client

pytestmark = pytest.mark.flags("--dev")
ADA = {"email": "ada@example.com", "access_token": "token-of-ada", "chats": [{"id": "chat_1"}]}


@pytest.fixture
def backend(seeded_server: SeededServer, rooms: Services) -> Any:
    return seeded_server, rooms


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"users": [ADA]}))
    return file


async def test_a_reset(anyone: Client, backend: Any, seed: Path) -> None:
    await backend[0].seed(backend[1], [seed])
    ada = anyone.with_credential("token-of-ada")
    before = (await anyone("GET /dev/seed")).body
    for _ in range(2):
        bob = await anyone.register("bob@example.com")
        assert (await ada("DELETE /chats/chat_1")).status == 204
        await ada("PUT /settings/admin", {"allow_registration": False})
        chat = await ada.chat()
        socket = await ada.socket()
        await ada("POST /chats/{id}/messages", {"content": "/slow 500"}, id=chat)
        await socket.until("typing")
        assert (await anyone("POST /dev/reset")).status == 204
        assert await socket.closed() == 1012
        assert (await anyone("GET /dev/seed")).body == before
        assert (await bob("GET /users/me")).error == "401 invalid_token"
        assert (await ada("GET /chats/chat_1")).status == 200


async def test_a_reset_without_a_seed_goes_back_to_an_empty_server(
    anyone: Client, backend: Any
) -> None:
    await backend[0].seed(backend[1], [])
    await anyone.register("ada@example.com")
    assert (await anyone("POST /dev/reset")).status == 204
    assert (await anyone("GET /dev/seed")).body["users"] == []


async def test_a_reset_deletes_nothing_that_was_there_before(
    anyone: Client, ada: Client, backend: Any, seed: Path
) -> None:
    await backend[0].seed(backend[1], [])
    answer = await anyone("POST /dev/reset")
    assert answer.error == "409 conflict"
    assert "Start with --seed" in answer.details
    assert (await ada("GET /users/me")).status == 200
    with pytest.raises(ConfigError, match="--seed needs an empty data folder"):
        await backend[0].seed(backend[1], [seed])
    with pytest.raises(Conflict):
        await backend[0].reset()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "The seed is not valid JSON"),
        ("[]", "The seed must be a JSON object."),
        ('{"users": [{}]}', "users.0.email: is required"),
        (None, "No such file or directory"),
    ],
)
async def test_a_bad_seed_is_one_clear_line(
    backend: Any, tmp_path: Path, content: str | None, reason: str
) -> None:
    file = tmp_path / "bad.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError) as raised:
        await backend[0].seed(backend[1], [file])
    assert str(raised.value).startswith(f"--seed {file}: {reason}")


async def test_requests_beside_resets(anyone: Client, backend: Any, seed: Path) -> None:
    await backend[0].seed(backend[1], [seed])
    ada = anyone.with_credential("token-of-ada")
    operations = ["POST /dev/reset", "POST /chats", "POST /dev/reset", "GET /chats"] * 5
    answers = await asyncio.gather(*(ada(one, {} if "P" in one else None) for one in operations))
    statuses: dict[str, set[int]] = {one: set() for one in operations}
    for one, answer in zip(operations, answers, strict=True):
        statuses[one].add(answer.status)
    assert statuses["POST /dev/reset"] == {204}
    assert statuses["POST /chats"] <= {201, 503}
    assert statuses["GET /chats"] <= {200, 503}
    assert (await ada("POST /dev/reset")).status == 204  # after the chats of all the others
    assert (await ada("GET /chats")).body["pagination"]["total"] == 1
