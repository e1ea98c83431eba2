"""`/control`: commands of `quillium user` to a running server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import CONTROL_KEY

Client = Any


@pytest.fixture
def owner(anyone: Client) -> Client:
    return anyone.with_credential(CONTROL_KEY)


async def test_only_with_the_key(anyone: Client, ada: Client, app: Any) -> None:
    asked = {"action": "list"}
    assert (await anyone("POST /control", asked)).error == "401 unauthorized"
    assert (await ada("POST /control", asked)).error == "401 unauthorized"
    app.settings["control_key"] = ""
    assert (await anyone("POST /control", asked)).error == "401 unauthorized"
    empty = {"Authorization": "Bearer "}
    assert (await anyone("POST /control", asked, headers=empty)).error == "401 unauthorized"


async def test_accounts(anyone: Client, owner: Client, ada: Client) -> None:
    made = await owner(
        "POST /control",
        {"action": "add", "email": " bob@example.com ", "password": "a good password"},
    )
    assert [user["email"] for user in made.body["users"]] == ["bob@example.com"]
    assert made.body["users"][0]["is_admin"] is False
    listed = await owner("POST /control", {"action": "list"})
    assert [user["email"] for user in listed.body["users"]] == [
        "ada@example.com",
        "bob@example.com",
    ]
    again = {"action": "add", "email": "BOB@example.com", "password": "a good password"}
    assert (await owner("POST /control", again)).error == "409 email_taken"
    short = {"action": "add", "email": "eve@example.com", "password": "1234567"}
    assert (await owner("POST /control", short)).details == "password: 7 characters, at least 8"
    assert (await owner("POST /control", {"action": "add"})).error == "400 invalid_request"
    unknown = {"action": "promote", "email": "eve@example.com"}
    assert (await owner("POST /control", unknown)).error == "404 not_found"

    bob = await anyone.login("bob@example.com", "a good password")
    assert (await bob("GET /settings/admin")).error == "403 forbidden"
    await owner("POST /control", {"action": "promote", "email": "bob@example.com"})
    assert (await bob("GET /settings/admin")).status == 200


async def test_a_new_password_ends_all_sessions(anyone: Client, owner: Client, ada: Client) -> None:
    socket = await ada.socket()
    new = {"action": "passwd", "email": "ada@example.com", "password": "another password"}
    assert (await owner("POST /control", new)).status == 200
    assert await socket.closed() == 4401
    assert (await ada("GET /users/me")).error == "401 invalid_token"
    assert (await anyone.login("ada@example.com", "another password")).credential


async def test_an_account_goes_with_all_that_it_said(
    anyone: Client, owner: Client, ada: Client, bob: Client, rooms: Any
) -> None:
    only_admin = {"action": "delete", "email": "ada@example.com"}
    assert (await owner("POST /control", only_admin)).error == "409 conflict"
    chat, socket = await bob.chat(), await bob.socket()
    await bob("POST /chats/{id}/messages", {"content": "/slow 1000"}, id=chat)
    await socket.until("typing")
    assert (
        await owner("POST /control", {"action": "delete", "email": "bob@example.com"})
    ).status == 200
    assert await socket.closed() == 4401
    assert (await bob("GET /chats")).error == "401 invalid_token"
    left = rooms.db.read(lambda db: db.execute("SELECT count(*) FROM messages").fetchone()[0])
    assert left == 0
    await rooms.conversation.drain()  # the reply that was being written harms nobody
    assert (await anyone.register("bob@example.com")).user["is_admin"] is False
    await owner("POST /control", {"action": "delete", "email": "bob@example.com"})
    assert (await owner("POST /control", only_admin)).status == 200  # nobody else is left


@pytest.mark.parametrize("action", ["passwd", "promote", "demote", "enable", "revoke", "link"])
async def test_every_command_that_recovers_an_account_ends_its_lockout(
    anyone: Client, owner: Client, ada: Client, bob: Client, action: str
) -> None:
    """Failed logins are counted in memory, where no command would reach them by itself."""
    login = {"email": "bob@example.com", "password": "a wrong password"}
    for _ in range(10):
        assert (await anyone("POST /auth/login", login)).error == "401 invalid_credentials"
    assert (await anyone("POST /auth/login", login)).error == "429 rate_limited"
    command = {"action": action, "email": "bob@example.com"}
    if action == "passwd":
        command["password"] = "a good password"
    assert (await owner("POST /control", command)).status == 200
    assert (await anyone.login("bob@example.com")).credential


async def test_an_account_that_is_made_is_not_locked_out(
    anyone: Client, owner: Client, ada: Client, bob: Client
) -> None:
    """Whether somebody tried its address before, or it had another account."""
    await owner("POST /control", {"action": "delete", "email": "bob@example.com"})
    login = {"email": "bob@example.com", "password": "a wrong password"}
    for _ in range(10):
        assert (await anyone("POST /auth/login", login)).error == "401 invalid_credentials"
    assert (await anyone("POST /auth/login", login)).error == "429 rate_limited"
    made = {"action": "add", "email": "bob@example.com", "password": "a good password"}
    assert (await owner("POST /control", made)).status == 200
    assert (await anyone.login("bob@example.com")).credential
