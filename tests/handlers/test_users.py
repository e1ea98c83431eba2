"""The caller's own account and API keys: contract sections 4 and 5."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Client, Clock


async def test_me(ada: Client) -> None:
    answer = await ada("GET /users/me")
    assert answer.status == 200
    assert list(answer.body) == ["id", "email", "name", "is_admin", "created_at", "updated_at"]
    assert answer.body["id"].startswith("user_")
    assert (answer.body["email"], answer.body["name"]) == ("ada@example.com", "ada")


async def test_put_merges(ada: Client, clock: Clock) -> None:
    clock.advance(5)
    answer = await ada("PUT /users/me", {"name": "  Ada Lovelace "})
    assert answer.status == 200
    assert answer.body["name"] == "Ada Lovelace"
    assert answer.body["email"] == "ada@example.com"
    assert answer.body["updated_at"] > answer.body["created_at"]
    assert (await ada("GET /users/me")).body == answer.body


async def test_email_needs_the_current_password(ada: Client, bob: Client, anyone: Client) -> None:
    missing = await ada("PUT /users/me", {"email": "new@example.com"})
    assert missing.error == "400 invalid_request"
    assert missing.details == "current_password: is required to change email"
    wrong = {"email": "new@example.com", "current_password": "wrong"}
    assert (await ada("PUT /users/me", wrong)).error == "401 invalid_credentials"
    taken = {"email": "BOB@example.com", "current_password": "a good password"}
    assert (await ada("PUT /users/me", taken)).error == "409 email_taken"
    right = {"email": "new@example.com", "current_password": "a good password"}
    assert (await ada("PUT /users/me", right)).body["email"] == "new@example.com"
    await anyone.login("new@example.com")


async def test_a_new_password_ends_all_other_sessions(ada: Client, anyone: Client) -> None:
    other = await anyone.login("ada@example.com")
    mine, theirs = await ada.socket(), await other.socket()
    body = {"password": "another password", "current_password": "a good password"}
    assert (await ada("PUT /users/me", body)).status == 200
    assert await theirs.closed() == 4401
    assert (await other("GET /users/me")).error == "401 invalid_token"
    assert (await ada("GET /users/me")).status == 200
    await mine.send("typing", chat_id="chat_none")
    assert (await mine.until("error"))["code"] == "not_found"
    await anyone.login("ada@example.com", "another password")


@pytest.mark.parametrize("field", ["is_admin", "id", "created_at"])
async def test_what_is_not_for_the_user_to_change(bob: Client, field: str) -> None:
    answer = await bob("PUT /users/me", {field: True, "name": "Bobby"})
    assert answer.error == "400 invalid_request"
    assert (await bob("GET /users/me")).body == bob.user


async def test_api_key_is_shown_once(ada: Client, data_dir: Path) -> None:
    made = await ada("POST /users/api-key", {"name": "laptop"})
    assert made.status == 201
    assert list(made.body) == ["id", "name", "api_key", "prefix", "created_at", "expires_at"]
    assert made.body["id"].startswith("key_")
    assert made.body["api_key"].startswith(made.body["prefix"])
    listed = await ada("GET /users/api-key")
    (shown,) = listed.body["data"]
    assert list(shown) == ["id", "name", "prefix", "created_at", "last_used_at", "expires_at"]
    assert shown["last_used_at"] is None
    assert listed.body["pagination"]["total"] == 1
    stored = b"".join(path.read_bytes() for path in data_dir.iterdir())
    assert made.body["api_key"].encode() not in stored


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_an_api_key_does_what_its_user_may(
    ada: Client, anyone: Client, clock: Clock, header: str
) -> None:
    key = (await ada("POST /users/api-key")).body["api_key"]
    headers = {header: f"Bearer {key}" if header == "Authorization" else key}
    assert (await anyone("GET /users/me", headers=headers)).body == ada.user
    assert (await anyone("POST /chats", {}, headers=headers)).status == 201
    assert (await anyone("PUT /users/me", {"name": "A"}, headers=headers)).status == 200
    clock.advance(30)
    await anyone("GET /users/me", headers=headers)
    used = (await ada("GET /users/api-key")).body["data"][0]["last_used_at"]
    assert used is not None


async def test_what_an_api_key_may_not(ada: Client) -> None:
    made = (await ada("POST /users/api-key")).body
    key = ada.with_credential(made["api_key"])
    password = {"password": "another password", "current_password": "a good password"}
    refusals = [
        await key("POST /users/api-key", {}),
        await key("DELETE /users/api-key/{id}", id=made["id"]),
        await key("PUT /users/me", password),
        await key("PUT /users/me", {"email": "x@y", "current_password": "a good password"}),
        await key("POST /auth/logout"),
        await key("GET /settings/admin"),
        await key("PUT /settings/admin", {}),
    ]
    assert [answer.error for answer in refusals] == ["403 forbidden"] * len(refusals)


async def test_a_revoked_key_ends_at_once(ada: Client) -> None:
    made = (await ada("POST /users/api-key")).body
    key = ada.with_credential(made["api_key"])
    socket = await key.socket()
    assert (await ada("DELETE /users/api-key/{id}", id=made["id"])).status == 204
    assert (await key("GET /users/me")).error == "401 invalid_token"
    assert await socket.closed() == 4401
    again = await ada("DELETE /users/api-key/{id}", id=made["id"])
    assert again.error == "404 not_found"
