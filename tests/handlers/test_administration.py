"""User administration by admins: contract, section 4."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import CONTROL_KEY, Client, Clock

PASSWORD = "a good password"
FIELDS = [
    "id", "email", "name", "is_admin", "created_at", "updated_at", "is_disabled", "last_seen_at",
    "chat_count", "storage_bytes",
]  # fmt: skip


async def test_accounts_are_listed_without_their_content(
    ada: Client, bob: Client, clock: Clock
) -> None:
    await bob.say(await bob.chat(title="Xyzzy"), "xyzzy é")
    page = (await ada("GET /users")).body
    assert page["pagination"]["total"] == 2
    first, second = page["data"]
    assert list(second) == FIELDS
    assert {**bob.user, "is_disabled": False}.items() <= second.items()
    assert (first["chat_count"], first["storage_bytes"]) == (0, 0)
    assert second["chat_count"] == 1
    assert second["storage_bytes"] > len("xyzzy é".encode())
    assert second["last_seen_at"] is not None
    assert b"yzzy" not in (await ada("GET /users")).raw


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ada@example.com", "bob@example.com"]),
        ("BOB", ["bob@example.com"]),
        ("example.com", ["ada@example.com", "bob@example.com"]),
        ("zo\u00eb", ["bob@example.com"]),
        ("ZOE\u0308", ["bob@example.com"]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
async def test_accounts_are_searched(
    ada: Client, bob: Client, query: str, found: list[str]
) -> None:
    await bob("PUT /users/me", {"name": "Zo\u00eb"})
    page = (await ada("GET /users", query={"q": query, "limit": 50})).body
    assert [user["email"] for user in page["data"]] == found
    assert page["pagination"]["total"] == len(found)
    one = (await ada("GET /users", query={"q": "example", "limit": 1})).body["pagination"]
    assert one["next"] == "/api/v1/users?limit=1&offset=1&q=example"


async def test_an_account_is_made_with_a_link(ada: Client, anyone: Client) -> None:
    body = {"email": "Zoe@Example.com", "name": "Zoë"}
    made = await ada("POST /users", body)
    assert made.status == 201
    assert made.body["user"]["email"] == "zoe@example.com"
    assert made.body["user"]["is_admin"] is False
    assert made.body["link"] == f"{ada.base_url}/#code={made.body['code']}"
    assert made.body["expires_in"] == 600
    assert (await ada("POST /users", body)).error == "409 email_taken"
    tokens = (await anyone("POST /auth/exchange", {"code": made.body["code"]})).body
    zoe = anyone.with_credential(tokens["access_token"])
    own = {"password": "my own password", "current_password": ""}
    assert (await zoe("PUT /users/me", own)).status == 200
    await anyone.login("zoe@example.com", "my own password")
    admin = (await ada("POST /users", {"email": "eve@example.com", "is_admin": True})).body
    assert (admin["user"]["is_admin"], admin["user"]["name"]) == (True, "eve")


async def test_a_link_for_a_lost_password(ada: Client, bob: Client, anyone: Client) -> None:
    made = await ada("POST /users/{id}/link", id=bob.user["id"])
    assert made.status == 201
    assert list(made.body) == ["code", "link", "expires_in"]
    tokens = (await anyone("POST /auth/exchange", {"code": made.body["code"]})).body
    again = anyone.with_credential(tokens["access_token"])
    assert (await again("GET /users/me")).body["email"] == "bob@example.com"


async def test_an_admin_is_made_and_unmade(ada: Client, bob: Client) -> None:
    id, socket = bob.user["id"], await bob.socket()
    made = await ada("PATCH /users/{id}", {"is_admin": True, "name": "Robert"}, id=id)
    assert list(made.body) == FIELDS
    assert (made.body["is_admin"], made.body["name"]) == (True, "Robert")
    assert (await bob("GET /users")).status == 200
    await ada("PATCH /users/{id}", {"is_admin": False}, id=id)
    assert (await bob("GET /users")).error == "403 forbidden"
    assert await socket.closed() == 4401


async def test_a_disabled_account_is_refused_everywhere(
    ada: Client, bob: Client, anyone: Client
) -> None:
    id = bob.user["id"]
    key = bob.with_credential((await bob("POST /users/api-key")).body["api_key"])
    code = (await ada("POST /users/{id}/link", id=id)).body["code"]
    sockets = [await bob.socket(), await key.socket()]
    disabled = await ada("PATCH /users/{id}", {"is_disabled": True}, id=id)
    assert disabled.body["is_disabled"] is True
    for socket in sockets:
        assert await socket.closed() == 4401
    assert (await bob("GET /users/me")).error == "401 invalid_token"
    assert (await key("GET /users/me")).error == "401 invalid_token"
    assert await (await key.socket()).closed() == 4401
    refresh = {"refresh_token": bob.tokens["refresh_token"]}
    assert (await anyone("POST /auth/refresh", refresh)).error == "401 invalid_token"
    login = {"email": "bob@example.com", "password": PASSWORD}
    assert (await anyone("POST /auth/login", login)).error == "401 invalid_token"
    wrong = {**login, "password": "a wrong password"}
    assert (await anyone("POST /auth/login", wrong)).error == "401 invalid_credentials"
    assert (await anyone("POST /auth/exchange", {"code": code})).error == "401 invalid_token"
    fresh = (await ada("POST /users/{id}/link", id=id)).body["code"]
    assert (await anyone("POST /auth/exchange", {"code": fresh})).error == "401 invalid_token"
    await ada("PATCH /users/{id}", {"is_disabled": False}, id=id)
    assert (await key("GET /users/me")).status == 200
    await anyone.login("bob@example.com")


async def test_an_account_can_be_sent_back_as_it_came(ada: Client, bob: Client) -> None:
    listed = (await ada("GET /users")).body["data"][1]
    answer = await ada("PATCH /users/{id}", {**listed, "name": "Robert"}, id=listed["id"])
    assert (answer.status, answer.body["name"]) == (200, "Robert")
    unknown = await ada("PATCH /users/{id}", {"password": "a new password"}, id=listed["id"])
    assert unknown.error == "400 invalid_request"


@pytest.mark.parametrize("change", [{"is_admin": False}, {"is_disabled": True}])
async def test_the_last_admin_can_not_be_lost(
    ada: Client, bob: Client, anyone: Client, change: dict[str, bool]
) -> None:
    own, other = ada.user["id"], bob.user["id"]
    assert (await ada("PATCH /users/{id}", change, id=own)).error == "409 conflict"
    assert (await ada("DELETE /users/{id}", id=own)).error == "409 conflict"
    owner = anyone.with_credential(CONTROL_KEY)
    for action in ("demote", "disable", "delete"):
        body = {"action": action, "email": "ada@example.com"}
        assert (await owner("POST /control", body)).error == "409 conflict"
    # An admin who is disabled is none that could help.
    await ada("PATCH /users/{id}", {"is_admin": True, "is_disabled": True}, id=other)
    assert (await ada("PATCH /users/{id}", change, id=own)).error == "409 conflict"
    await ada("PATCH /users/{id}", {"is_disabled": False}, id=other)
    assert (await ada("PATCH /users/{id}", change, id=own)).status == 200


async def test_an_account_is_deleted(ada: Client, bob: Client, anyone: Client) -> None:
    chat, socket = await bob.chat(), await bob.socket()
    assert (await ada("DELETE /users/{id}", id=bob.user["id"])).status == 204
    assert await socket.closed() == 4401
    assert (await bob("GET /chats/{id}", id=chat)).error == "401 invalid_token"
    assert (await ada("DELETE /users/{id}", id=bob.user["id"])).error == "404 not_found"
    assert (await ada("GET /users")).body["pagination"]["total"] == 1


async def test_only_admins_with_a_session(ada: Client, bob: Client, anyone: Client) -> None:
    key = ada.with_credential((await ada("POST /users/api-key")).body["api_key"])
    id = ada.user["id"]
    for client, refusal in ((bob, "403 forbidden"), (key, "403 forbidden")):
        for answer in (
            await client("GET /users"),
            await client("POST /users", {"email": "eve@example.com"}),
            await client("PATCH /users/{id}", {"is_admin": True}, id=id),
            await client("DELETE /users/{id}", id=id),
            await client("POST /users/{id}/link", id=id),
        ):
            assert answer.error == refusal
    assert (await anyone("GET /users")).error == "401 unauthorized"
    assert (await ada("PATCH /users/{id}", {"name": "x"}, id="user_none")).error == "404 not_found"
    assert (await ada("POST /users/{id}/link", id="user_none")).error == "404 not_found"


@pytest.mark.parametrize("action", ["link", "demote", "disable", "enable", "revoke"])
async def test_commands_of_a_running_server(
    ada: Client, bob: Client, anyone: Client, action: str
) -> None:
    owner = anyone.with_credential(CONTROL_KEY)
    key = bob.with_credential((await bob("POST /users/api-key")).body["api_key"])
    answer: Any = await owner("POST /control", {"action": action, "email": "bob@example.com"})
    assert [user["email"] for user in answer.body["users"]] == ["bob@example.com"]
    assert ("code" in answer.body) == (action == "link")
    is_out = action in {"disable", "revoke"}
    for client in (bob, key):
        assert ((await client("GET /users/me")).status == 401) == is_out
