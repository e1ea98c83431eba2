"""API keys: shown once, valid until they expire or are revoked."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidToken, NotFound, TokenExpired
from core.records import Client, User
from core.times import rfc3339
from storage import api_keys
from tests.conftest import Clock
from tests.services.sockets import FakeSocket, subscribed

HERE = Client("192.0.2.1", "Browser", "req_1")
DAY = 24 * 3600


async def test_a_key_is_shown_once(rooms: Any, user: User, events: Any) -> None:
    made = await rooms.api_keys.create(user, "Laptop", None, HERE)
    assert made["api_key"].startswith("qk_")
    assert (made["name"], made["prefix"]) == ("Laptop", made["api_key"][:10])
    assert made["expires_at"] is None
    assert "last_used_at" not in made
    assert events()[-1] == "api_key_created"
    (shown,) = rooms.api_keys.page(user, 10, 0).items
    assert made["api_key"] not in str(shown.public())
    assert (await rooms.api_keys.create(user, None, None, HERE))["name"] == "API key"


async def test_a_key_is_its_users(rooms: Any, user: User, other: User) -> None:
    made = await rooms.api_keys.create(other, None, None, HERE)
    caller = rooms.api_keys.authenticate(made["api_key"], HERE)
    assert (caller.user, caller.api_key_id) == (other, made["id"])
    with pytest.raises(InvalidToken, match="not an API key"):
        rooms.api_keys.authenticate(made["api_key"] + "x", HERE)


async def test_a_key_expires_to_the_second(rooms: Any, user: User, clock: Clock) -> None:
    clock.now = 1_800_000_000.0
    made = await rooms.api_keys.create(user, None, 2, HERE)
    clock.jump(2 * DAY - 1)
    rooms.api_keys.authenticate(made["api_key"], HERE)
    assert rooms.api_keys.is_live(made["id"])
    clock.jump(1)
    assert not rooms.api_keys.is_live(made["id"])
    with pytest.raises(TokenExpired):
        rooms.api_keys.authenticate(made["api_key"], HERE)


async def test_keys_of_a_disabled_account(rooms: Any, user: User, other: User) -> None:
    made = await rooms.api_keys.create(other, None, None, HERE)
    await rooms.administration.change(other, {"is_disabled": True}, HERE)
    with pytest.raises(InvalidToken, match="disabled"):
        rooms.api_keys.authenticate(made["api_key"], HERE)


async def test_a_revoked_key_ends_with_its_sockets(
    rooms: Any, user: User, other: User, events: Any
) -> None:
    one = await rooms.api_keys.create(user, None, None, HERE)
    two = await rooms.api_keys.create(user, None, None, HERE)
    sockets = [FakeSocket(user, api_key_id=key["id"]) for key in (one, two)]
    sockets.append(FakeSocket(user, session_id="sess_1"))
    for socket in sockets:
        subscribed(rooms.connections, socket)
    with pytest.raises(NotFound):
        await rooms.api_keys.revoke(other, one["id"], HERE)
    await rooms.api_keys.revoke(user, one["id"], HERE)
    assert events()[-1] == "api_key_revoked"
    assert [socket.closed_with for socket in sockets] == [4401, None, None]
    assert (rooms.api_keys.is_live(one["id"]), rooms.api_keys.is_live(two["id"])) == (False, True)
    await rooms.api_keys.revoke_all(user, HERE)
    assert events()[-1] == "api_keys_revoked"
    assert [socket.closed_with for socket in sockets] == [4401, 4401, None]
    assert not rooms.api_keys.is_live(two["id"])


async def test_its_use_is_stored_once_a_minute(
    rooms: Any, user: User, clock: Clock, events: Any
) -> None:
    made = await rooms.api_keys.create(user, None, None, HERE)

    async def used_at(seconds: float) -> str | None:
        clock.advance(seconds)
        rooms.api_keys.authenticate(made["api_key"], HERE)
        await rooms.api_keys.close()  # finishes what runs in the background
        (key,) = rooms.db.read(api_keys.page, user.row_id, 10, 0).items
        return str(key.last_used_at)

    first = await used_at(0)
    assert first == rfc3339(clock())
    assert await used_at(59.5) == first
    assert await used_at(0.5) == rfc3339(clock())
    assert events().count("api_key_first_used") == 1
