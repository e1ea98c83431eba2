"""Sessions, sign-in codes, expiring API keys, account deletion (contract, section 4)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client, Clock

DAY = 24 * 3600
PASSWORD = "a good password"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What the security log says, as `event user_id`."""
    caplog.set_level(logging.INFO, "quillium.security")

    def read() -> list[str]:
        told = [r.fields for r in caplog.records if r.name == "quillium.security"]  # type: ignore[attr-defined]
        return [f"{line['event']} {line['user_id']}" for line in told]

    return read


# Sessions


async def test_sessions_are_listed(ada: Client, anyone: Client, clock: Clock) -> None:
    clock.advance(60)
    body = {"email": "ada@example.com", "password": PASSWORD}
    headers = {"User-Agent": "Phone/1.0" + "x" * 300}
    other = await anyone("POST /auth/login", body, headers=headers, source="127.0.0.2")
    page = (await ada("GET /auth/sessions")).body
    assert page["pagination"]["total"] == 2
    phone, own = page["data"]
    assert list(own) == ["id", "created_at", "last_used_at", "address", "user_agent", "is_current"]
    assert (phone["is_current"], own["is_current"]) == (False, True)
    assert (phone["address"], own["address"]) == ("127.0.0.2", "127.0.0.1")
    assert phone["user_agent"] == "Phone/1.0" + "x" * 191
    theirs = anyone.with_credential(other.body["access_token"])
    assert (await theirs("GET /auth/sessions")).body["data"][0]["is_current"] is True
    second = (await ada("GET /auth/sessions", query={"limit": 1, "offset": 1})).body
    assert second["data"] == [own]


async def test_a_refresh_moves_its_session_to_the_front(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    await anyone.login("ada@example.com")
    clock.advance(60)
    await anyone(
        "POST /auth/refresh",
        {"refresh_token": ada.tokens["refresh_token"]},
        headers={"User-Agent": "Laptop/2"},
        source="127.0.0.3",
    )
    (first, _) = (await ada("GET /auth/sessions")).body["data"]
    assert (first["is_current"], first["address"], first["user_agent"]) == (
        True,
        "127.0.0.3",
        "Laptop/2",
    )


async def test_an_expired_session_is_not_listed(ada: Client, anyone: Client, clock: Clock) -> None:
    clock.advance(7 * DAY)
    other = await anyone.login("ada@example.com")
    (only,) = (await other("GET /auth/sessions")).body["data"]
    assert only["is_current"]


async def test_a_session_is_ended_at_once(
    ada: Client, bob: Client, anyone: Client, lines: Any
) -> None:
    other = await anyone.login("ada@example.com")
    socket = await other.socket()
    phone = next(s for s in (await ada("GET /auth/sessions")).body["data"] if not s["is_current"])
    assert (await bob("DELETE /auth/sessions/{id}", id=phone["id"])).error == "404 not_found"
    assert (await other("GET /users/me")).status == 200
    assert (await ada("DELETE /auth/sessions/{id}", id=phone["id"])).status == 204
    assert await socket.closed() == 4401
    assert (await other("GET /users/me")).error == "401 invalid_token"
    refresh = {"refresh_token": other.tokens["refresh_token"]}
    assert (await anyone("POST /auth/refresh", refresh)).error == "401 invalid_token"
    assert (await ada("DELETE /auth/sessions/{id}", id=phone["id"])).error == "404 not_found"
    assert f"session_ended {ada.user['id']}" in lines()


async def test_an_api_key_sees_no_sessions(ada: Client) -> None:
    key = ada.with_credential((await ada("POST /users/api-key")).body["api_key"])
    assert (await key("GET /auth/sessions")).error == "403 forbidden"
    assert (await key("DELETE /auth/sessions/{id}", id="sess_x")).error == "403 forbidden"


# API keys


async def test_a_key_expires(ada: Client, clock: Clock) -> None:
    made = (await ada("POST /users/api-key", {"name": "CI", "expires_in_days": 3})).body
    lasting = (await ada("POST /users/api-key", {})).body
    assert lasting["expires_at"] is None
    key, other = ada.with_credential(made["api_key"]), ada.with_credential(lasting["api_key"])
    clock.advance(3 * DAY - 2)
    assert (await key("GET /users/me")).status == 200
    socket = await key.socket()
    clock.advance(2)
    assert (await key("GET /users/me")).error == "401 token_expired"
    await socket.send("typing", chat_id="chat_none")
    assert await socket.closed() == 4401
    listed = (await other("GET /users/api-key")).body["data"]
    assert [entry["expires_at"] for entry in listed] == [made["expires_at"], None]
    clock.jump(-DAY)
    assert (await key("GET /users/me")).status == 200  # nothing was deleted by the clock


@pytest.mark.parametrize("days", [0, -1, 3651, 1.5, "7", None])
async def test_days_that_a_key_can_not_have(ada: Client, days: Any) -> None:
    answer = await ada("POST /users/api-key", {"expires_in_days": days})
    assert answer.error == "400 invalid_request"


async def test_logout_can_revoke_the_api_keys(ada: Client, anyone: Client, lines: Any) -> None:
    key = ada.with_credential((await ada("POST /users/api-key")).body["api_key"])
    socket = await key.socket()
    other = await anyone.login("ada@example.com")
    assert (await other("POST /auth/logout")).status == 204
    assert (await key("GET /users/me")).status == 200
    body = {"everywhere": True, "api_keys": True}
    assert (await ada("POST /auth/logout", body)).status == 204
    assert await socket.closed() == 4401
    assert (await key("GET /users/me")).error == "401 invalid_token"
    assert f"api_keys_revoked {ada.user['id']}" in lines()


# Sign-in codes


async def code_of(rooms: Any, email: str = "ada@example.com") -> str:
    return str((await rooms.administration.run("link", email))["code"])


async def test_a_code_signs_in_once(
    ada: Client, anyone: Client, rooms: Any, data_dir: Path, lines: Any
) -> None:
    code = await code_of(rooms)
    stored = b"".join(path.read_bytes() for path in data_dir.iterdir())
    assert code.encode() not in stored
    answer = await anyone("POST /auth/exchange", {"code": code})
    assert list(answer.body) == ["access_token", "refresh_token", "expires_in", "token_type"]
    signed_in = anyone.with_credential(answer.body["access_token"])
    assert (await signed_in("GET /users/me")).body == ada.user
    assert (await anyone("POST /auth/exchange", {"code": code})).error == "401 invalid_token"
    assert (await anyone("POST /auth/exchange", {"code": "none"})).error == "401 invalid_token"
    assert f"code_used {ada.user['id']}" in lines()


async def test_a_code_is_good_for_ten_minutes(
    ada: Client, anyone: Client, rooms: Any, clock: Clock
) -> None:
    first, second = await code_of(rooms), await code_of(rooms)
    clock.advance(599)
    assert (await anyone("POST /auth/exchange", {"code": first})).status == 200
    clock.advance(1)
    assert (await anyone("POST /auth/exchange", {"code": second})).error == "401 token_expired"
    assert (await anyone("POST /auth/exchange", {"code": second})).error == "401 invalid_token"


async def test_at_most_twenty_codes_are_open(ada: Client, anyone: Client, rooms: Any) -> None:
    codes = [await code_of(rooms) for _ in range(21)]
    statuses = {(await anyone("POST /auth/exchange", {"code": code})).status for code in codes[1:]}
    assert len(codes) == 21
    assert 200 in statuses
    total = rooms.db.read(lambda c: c.execute("SELECT COUNT(*) FROM sign_in_codes").fetchone()[0])
    assert total <= 1


async def test_a_link_is_the_way_back_in(ada: Client, anyone: Client, rooms: Any) -> None:
    wrong = {"email": "ada@example.com", "password": "a wrong password"}
    for _ in range(10):
        await anyone("POST /auth/login", wrong)
    tokens = (await anyone("POST /auth/exchange", {"code": await code_of(rooms)})).body
    session = anyone.with_credential(tokens["access_token"])
    new = {"password": "a new password", "current_password": ""}
    assert (await session("PUT /users/me", new)).status == 200
    assert (await ada("GET /users/me")).error == "401 invalid_token"
    assert (await anyone.login("ada@example.com", "a new password")).credential
    again = await session("PUT /users/me", {**new, "password": "another password"})
    assert again.error == "401 invalid_credentials"  # the code's privilege is used up


async def test_a_session_of_a_code_needs_the_password_once_it_was_refreshed(
    ada: Client, anyone: Client, rooms: Any
) -> None:
    tokens = (await anyone("POST /auth/exchange", {"code": await code_of(rooms)})).body
    body = {"refresh_token": tokens["refresh_token"]}
    later = (await anyone("POST /auth/refresh", body)).body
    session = anyone.with_credential(later["access_token"])
    for change in ({"password": "a new password"}, {"email": "eve@example.com"}):
        body = {**change, "current_password": ""}
        assert (await session("PUT /users/me", body)).error == "401 invalid_credentials"
    refused = await session("DELETE /users/me", {"current_password": ""})
    assert refused.error == "401 invalid_credentials"


# The end of an account


async def test_an_account_is_deleted_with_everything(
    ada: Client, bob: Client, anyone: Client, rooms: Any, data_dir: Path, lines: Any
) -> None:
    await bob.say(await bob.chat(title="Xyzzy title"), "xyzzy content")
    key = bob.with_credential((await bob("POST /users/api-key")).body["api_key"])
    code = await code_of(rooms, "bob@example.com")
    socket = await bob.socket()
    missing = await bob("DELETE /users/me", {})
    assert missing.details.startswith("current_password: is required")
    assert (await bob("DELETE /users/me", {"current_password": ""})).status == 401
    wrong = {"current_password": "a wrong password"}
    assert (await bob("DELETE /users/me", wrong)).error == "401 invalid_credentials"
    assert (await key("DELETE /users/me", {"current_password": PASSWORD})).error == "403 forbidden"
    assert (await bob("DELETE /users/me", {"current_password": PASSWORD})).status == 204
    assert await socket.closed() == 4401
    for client in (bob, key):
        assert (await client("GET /users/me")).error == "401 invalid_token"
    assert (await anyone("POST /auth/exchange", {"code": code})).error == "401 invalid_token"
    login = {"email": "bob@example.com", "password": PASSWORD}
    assert (await anyone("POST /auth/login", login)).error == "401 invalid_credentials"
    for table in ("chats", "messages", "sessions", "api_keys", "sign_in_codes"):
        count = f"SELECT COUNT(*) FROM {table} WHERE user <> 1"
        assert rooms.db.read(lambda c, sql=count: c.execute(sql).fetchone()[0]) == 0
    assert f"account_deleted {bob.user['id']}" in lines()
    assert (await anyone.register("bob@example.com")).user["id"] != bob.user["id"]


async def test_the_last_admin_can_not_go_while_there_are_others(ada: Client, bob: Client) -> None:
    body = {"current_password": PASSWORD}
    assert (await ada("DELETE /users/me", body)).error == "409 conflict"
    assert (await bob("DELETE /users/me", body)).status == 204
    assert (await ada("DELETE /users/me", body)).status == 204


# The security log


async def test_what_the_security_log_tells(
    ada: Client, anyone: Client, clock: Clock, caplog: pytest.LogCaptureFixture, lines: Any
) -> None:
    caplog.clear()
    id = ada.user["id"]
    wrong = {"email": "ada@example.com", "password": "a wrong password"}
    for _ in range(10):
        await anyone("POST /auth/login", wrong, source="127.0.0.9")
    await anyone("POST /auth/login", {**wrong, "email": "nobody@example.com"})
    await anyone.login("ada@example.com")
    second = (
        await anyone("POST /auth/refresh", {"refresh_token": ada.tokens["refresh_token"]})
    ).body
    await anyone.with_credential(second["access_token"])("GET /users/me")
    key = (await ada("POST /users/api-key")).body
    await ada.with_credential(key["api_key"])("GET /users/me")
    await ada.with_credential(key["api_key"])("GET /users/me")
    await ada("DELETE /users/api-key/{id}", id=key["id"])
    changes = {"password": "another password", "current_password": PASSWORD}
    await ada("PUT /users/me", changes)
    clock.advance(11)
    await anyone("POST /auth/refresh", {"refresh_token": ada.tokens["refresh_token"]})
    assert lines() == [
        *[f"login_failed {id}"] * 10,
        f"lockout {id}",
        "login_failed -",
        f"login {id}",
        f"api_key_created {id}",
        f"api_key_first_used {id}",
        f"api_key_revoked {id}",
        f"password_changed {id}",
        f"refresh_reuse {id}",
        f"session_ended {id}",
    ]
    told = [record.getMessage() for record in caplog.records if "security" in record.name]
    assert told[0].startswith(f"login_failed address=127.0.0.9 user_id={id} request_id=req_")
    text = " ".join(told)
    secrets = (PASSWORD, "a wrong password", "another password", "nobody", key["api_key"])
    assert not any(secret in text for secret in (*secrets, ada.tokens["refresh_token"]))
