"""Sessions over HTTP: contract section 4, docs/security.md, "Tokens and accounts"."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import threading
from collections import Counter
from typing import Any

import jwt
import pytest

from core import passwords
from tests.conftest import SECRET, Client, Clock


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return document


async def test_login_as_the_reference_prints_it(anyone: Client) -> None:
    await anyone.register("user@example.com", "secure_password")
    answer = await anyone(
        "POST /auth/login", {"email": "user@example.com", "password": "secure_password"}
    )
    assert answer.status == 200
    assert list(answer.body) == ["access_token", "refresh_token", "expires_in", "token_type"]
    prefix = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    assert answer.body["access_token"].startswith(prefix)
    assert answer.body["refresh_token"].startswith(prefix)
    assert answer.body["expires_in"] == 900
    assert answer.body["token_type"] == "Bearer"


async def test_claims_of_both_tokens(ada: Client, clock: Clock) -> None:
    access, refresh = claims(ada.tokens["access_token"]), claims(ada.tokens["refresh_token"])
    assert set(access) == {"sub", "name", "admin", "sid", "jti", "type", "iat", "exp", "iss"}
    assert set(refresh) == {"sub", "sid", "jti", "type", "iat", "exp", "iss"}
    assert (access["sub"], access["name"]) == (ada.user["id"], "ada@example.com")
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == 900
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 3600
    assert access["iss"] == refresh["iss"] == "quillium"


async def test_register_gives_the_user_and_tokens(anyone: Client) -> None:
    body = {"email": "  Ada@Example.com ", "password": "a good password", "name": " Ada "}
    answer = await anyone("POST /auth/register", body)
    assert answer.status == 201
    user = answer.body["user"]
    assert (user["email"], user["name"], user["is_admin"]) == ("ada@example.com", "Ada", True)
    assert list(answer.body)[1:] == ["access_token", "refresh_token", "expires_in", "token_type"]
    again = await anyone("POST /auth/register", {**body, "email": "ADA@example.COM"})
    assert again.error == "409 email_taken"


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"is_admin": True}, "'is_admin': unknown field"),
        ({"id": "user_1", "created_at": "x"}, "'created_at', 'id': unknown field"),
        ({"email": "a@"}, "email: 2 characters, at least 3"),
        ({"email": "a b@c"}, "email: expected 3 to 254 characters, one @"),
        ({"email": "a@b@c"}, "email: expected 3 to 254 characters, one @"),
        ({"email": "x" * 252 + "@yz"}, "email: 255 characters, at most 254"),
        ({"password": "1234567"}, "password: 7 characters, at least 8"),
        ({"password": "x" * 257}, "password: 257 characters, at most 256"),
        ({"password": 12345678}, "password: a number, expected a string"),
        ({"name": "  "}, "name: 0 characters, at least 1"),
    ],
)
async def test_register_refuses(anyone: Client, change: dict[str, Any], details: str) -> None:
    body = {"email": "ada@example.com", "password": "a good password", **change}
    answer = await anyone("POST /auth/register", body)
    assert answer.error == "400 invalid_request"
    assert details in answer.details
    assert (
        await anyone(
            "POST /auth/login", {"email": "ada@example.com", "password": "a good password"}
        )
    ).error == "401 invalid_credentials"


async def test_fifty_registrations_at_once_make_one_admin(anyone: Client) -> None:
    clients = await asyncio.gather(*(anyone.register(f"u{n}@example.com") for n in range(50)))
    assert sum(client.user["is_admin"] for client in clients) == 1


async def test_the_same_address_twice_at_once(anyone: Client) -> None:
    body = {"email": "ada@example.com", "password": "a good password"}
    answers = await asyncio.gather(*(anyone("POST /auth/register", body) for _ in range(4)))
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 3}


async def test_registration_can_be_closed(ada: Client, anyone: Client) -> None:
    await ada("PUT /settings/admin", {"allow_registration": False})
    answer = await anyone("POST /auth/register", {"email": "b@c", "password": "a good password"})
    assert answer.error == "403 registration_closed"


async def test_unknown_address_and_wrong_password_look_alike(ada: Client, anyone: Client) -> None:
    wrong = await anyone("POST /auth/login", {"email": "ada@example.com", "password": "nonsense"})
    unknown = await anyone("POST /auth/login", {"email": "no@example.com", "password": "nonsense"})
    assert wrong.error == unknown.error == "401 invalid_credentials"
    assert wrong.body == unknown.body
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "other", ["ADA@Example.com", "e\u0301ve@example.com", "\u00c9VE@example.com"]
)
async def test_addresses_that_look_alike_are_one(anyone: Client, other: str) -> None:
    await anyone.register("ada@example.com")
    await anyone.register("\u00e9ve@example.com")
    body = {"email": other, "password": "a good password"}
    assert (await anyone("POST /auth/register", body)).error == "409 email_taken"
    assert (await anyone("POST /auth/login", body)).status == 200


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u00ad", "\ufe0f", "\U000e0041"])
async def test_an_address_with_invisible_characters_is_refused(ada: Client, hidden: str) -> None:
    body = {"email": f"ada{hidden}@example.com", "password": "a good password"}
    answer = await ada("POST /auth/register", body)
    assert answer.error == "400 invalid_request"
    change = {"email": body["email"], "current_password": "a good password"}
    assert (await ada("PUT /users/me", change)).error == "400 invalid_request"


async def test_common_and_own_passwords_are_refused(anyone: Client) -> None:
    for password in (
        "password",
        "Sunshine",
        "ada.lovelace",
        "ADA.lovelace@example.com",
        "Mrs Love",
    ):
        body = {"email": "ada.lovelace@example.com", "password": password, "name": "Mrs Love"}
        answer = await anyone("POST /auth/register", body)
        assert answer.error == "400 invalid_request", password
        assert answer.details.startswith("password: "), password
    ada = await anyone.register("ada@example.com")
    for change in ({"password": "password1"}, {"password": "ada byron", "name": "Ada Byron"}):
        answer = await ada("PUT /users/me", {**change, "current_password": "a good password"})
        assert answer.error == "400 invalid_request"


async def test_a_password_may_be_composed_differently(anyone: Client) -> None:
    await anyone.register("ada@example.com", "mot de pass\u00e9")
    await anyone.login("ada@example.com", "mot de passe\u0301")


@pytest.mark.parametrize(
    ("password", "other"),
    [("x" * 72 + "aaaa", "x" * 72 + "bbbb"), ("🙂" * 255 + "a", "🙂" * 255 + "b")],
)
async def test_every_byte_of_a_password_counts(anyone: Client, password: str, other: str) -> None:
    await anyone.register("ada@example.com", password)
    await anyone.login("ada@example.com", password)
    answer = await anyone("POST /auth/login", {"email": "ada@example.com", "password": other})
    assert answer.error == "401 invalid_credentials"


async def test_a_flood_of_logins_waits_for_two_threads_only(
    anyone: Client, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    is_released, running, most = threading.Event(), [0], [0]

    def slow(*_: Any) -> bool:
        running[0] += 1
        most[0] = max(most[0], running[0])
        is_released.wait(10)
        running[0] -= 1
        return False

    monkeypatch.setattr(passwords, "matches", slow)
    attempts = [
        asyncio.ensure_future(
            anyone("POST /auth/login", {"email": f"u{n}@example.com", "password": "x"})
        )
        for n in range(150)
    ]
    refused = [await first for first in itertools.islice(asyncio.as_completed(attempts), 84)]
    assert {answer.error for answer in refused} == {"429 rate_limited"}
    assert (await ada("GET /users/me")).status == 200  # others are answered meanwhile
    is_released.set()
    answers = Counter(answer.status for answer in await asyncio.gather(*attempts))
    assert answers == {401: 66, 429: 84}
    assert most == [2]


async def test_logout_ends_the_session_at_once(ada: Client, anyone: Client) -> None:
    other = await anyone.login("ada@example.com")
    socket = await ada.socket()
    assert (await ada("POST /auth/logout")).status == 204
    assert await socket.closed() == 4401
    assert (await ada("GET /users/me")).error == "401 invalid_token"
    refresh = {"refresh_token": ada.tokens["refresh_token"]}
    assert (await anyone("POST /auth/refresh", refresh)).error == "401 invalid_token"
    assert (await other("GET /users/me")).status == 200
    assert (await other("POST /auth/logout", {"everywhere": True})).status == 204
    assert (await other("GET /users/me")).error == "401 invalid_token"


async def test_logout_everywhere(ada: Client, anyone: Client) -> None:
    other = await anyone.login("ada@example.com")
    socket = await other.socket()
    assert (await ada("POST /auth/logout", {"everywhere": True})).status == 204
    assert await socket.closed() == 4401
    assert (await other("GET /users/me")).error == "401 invalid_token"


async def test_expired_tokens(ada: Client, anyone: Client, clock: Clock) -> None:
    clock.advance(900)
    answer = await ada("GET /users/me")
    assert answer.error == "401 token_expired"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    clock.advance(7 * 24 * 3600)
    refresh = {"refresh_token": ada.tokens["refresh_token"]}
    assert (await anyone("POST /auth/refresh", refresh)).error == "401 token_expired"


async def test_a_clock_that_steps_back_keeps_tokens_valid(ada: Client, clock: Clock) -> None:
    clock.advance(-3600)
    assert (await ada("GET /users/me")).status == 200


def forged(token: str) -> dict[str, str]:
    header, payload, signature = token.split(".")
    known = claims(token)
    without = {name: value for name, value in known.items() if name != "exp"}
    last = signature[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(last) ^ 1]

    def signed(document: dict[str, Any], **headers: Any) -> str:
        return jwt.PyJWT().encode(
            document, SECRET, algorithm="HS256", headers=headers or None, sort_headers=True
        )

    return {
        "not a token": "nonsense",
        "empty": "",
        "alg none": jwt.encode(known, None, algorithm="none"),
        "another algorithm": jwt.encode(known, SECRET, algorithm="HS384"),
        "another key": jwt.encode(known, b"x" * 40, algorithm="HS256"),
        "a flipped bit": f"{header}.{payload[:-2]}{'A' if payload[-2] != 'A' else 'B'}{payload[-1]}"
        f".{signature}",
        "a bit that decoders ignore": f"{header}.{payload}.{signature[:-1]}{twin}",
        "a kid": signed(known, kid="../../dev/null"),
        "64 KiB": token + "A" * 60_000,
        "no exp": signed(without),
        "exp as text": signed({**known, "exp": "9999999999"}),
        "admin as text": signed({**known, "admin": "true"}),
        "another issuer": signed({**known, "iss": "evil"}),
        "no such session": signed({**known, "sid": "sess_none", "exp": known["exp"] + 10**9}),
        "another user": signed({**known, "sub": "user_none"}),
    }


async def test_forged_tokens(ada: Client, anyone: Client) -> None:
    for kind, token in forged(ada.tokens["access_token"]).items():
        answer = await anyone("GET /users/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.error == "401 invalid_token", kind
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_tokens_of_the_wrong_kind(ada: Client, anyone: Client) -> None:
    as_access = await ada.with_credential(ada.tokens["refresh_token"])("GET /users/me")
    assert as_access.error == "401 invalid_token"
    as_refresh = await anyone("POST /auth/refresh", {"refresh_token": ada.tokens["access_token"]})
    assert as_refresh.error == "401 invalid_token"


async def test_rights_come_from_the_database(ada: Client, bob: Client) -> None:
    known = claims(bob.tokens["access_token"])
    token = jwt.PyJWT().encode(
        {**known, "admin": True}, SECRET, algorithm="HS256", sort_headers=True
    )
    assert (await bob.with_credential(token)("GET /settings/admin")).error == "403 forbidden"
