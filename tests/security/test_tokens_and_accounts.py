"""Black-box tests of docs/security.md, "Tokens and accounts", row by row."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest
from websockets.exceptions import ConnectionClosed

from tests.program import run
from tests.security.conftest import PASSWORD, SECRET, Target, forge


@pytest.fixture(scope="module")
def eve(target: Target) -> dict[str, Any]:
    return target.register("eve@example.com")


def me(target: Target, token: str) -> str:
    answer = target.api("GET", "/users/me", token=token)
    return "200" if answer.status == 200 else answer.error


def signed_by_hand(header: str, payload: str) -> str:
    """With our key: what a server that believes a header would take."""
    said = f"{base64.urlsafe_b64encode(header.encode()).decode().rstrip('=')}.{payload}"
    signature = hmac.digest(SECRET.encode(), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def forgeries(token: str) -> dict[str, str]:
    claims = jwt.decode(token, options={"verify_signature": False})
    header, payload, signature = token.split(".")
    middle = len(payload) // 2
    flipped = payload[:middle] + ("A" if payload[middle] != "A" else "B") + payload[middle + 1 :]
    sign = jwt.PyJWT().encode
    return {
        "alg none": jwt.encode(claims, None, algorithm="none"),
        "alg none with the signature": ".".join(
            [*jwt.encode(claims, None, algorithm="none").split(".")[:2], signature]
        ),
        "HS384": sign(claims, SECRET, algorithm="HS384"),
        "RS256 in name": signed_by_hand('{"alg":"RS256","typ":"JWT"}', payload),
        "another order": signed_by_hand('{"typ":"JWT","alg":"HS256"}', payload),
        "another key": forge(token, "x" * 40),
        "a flipped bit": f"{header}.{flipped}.{signature}",
        "no signature": f"{header}.{payload}.",
        "a kid": sign(claims, SECRET, algorithm="HS256", headers={"kid": "../../dev/null"}),
        "a crit": sign(claims, SECRET, algorithm="HS256", headers={"crit": ["x"], "x": 1}),
        "60 KiB": token + "A" * 60_000,
        "nothing": "",
    }


def test_alg_none_confusion_another_key_a_flipped_bit_kid_and_a_huge_token(
    target: Target, eve: dict[str, Any]
) -> None:
    for name, token in forgeries(eve["access_token"]).items():
        assert me(target, token) == "401 invalid_token", name
    for name, token in forgeries(eve["refresh_token"]).items():
        refused = target.api("POST", "/auth/refresh", {"refresh_token": token})
        expected = "400 invalid_request" if name in {"nothing"} else "401 invalid_token"
        assert refused.error == expected, name
    huge = {"refresh_token": eve["refresh_token"] + "A" * (64 << 10)}
    assert target.api("POST", "/auth/refresh", huge).status in (400, 401)
    assert me(target, eve["access_token"]) == "200"


def test_a_token_of_the_wrong_kind_or_with_a_claim_missing(
    target: Target, eve: dict[str, Any]
) -> None:
    access, refresh = eve["access_token"], eve["refresh_token"]
    assert me(target, refresh) == "401 invalid_token"
    as_refresh = target.api("POST", "/auth/refresh", {"refresh_token": access})
    assert as_refresh.error == "401 invalid_token"
    claims = jwt.decode(access, options={"verify_signature": False})
    for name, value in claims.items():
        assert me(target, forge(access, **{name: None})) == "401 invalid_token", name
        wrong: Any = str(value) if not isinstance(value, str) else 1
        if name != "iss":  # PyJWT compares it before anybody looks at its type
            assert me(target, forge(access, **{name: wrong})) == "401 invalid_token", name
    nowhere = forge(access, sid="sess_0", exp=claims["exp"] + 10**9)
    assert me(target, nowhere) == "401 invalid_token"
    others = forge(access, sub="user_0")
    assert me(target, others) == "401 invalid_token"


def test_an_expired_token_and_a_clock_that_steps_back(target: Target, eve: dict[str, Any]) -> None:
    now = int(time.time())
    assert me(target, forge(eve["access_token"], exp=now)) == "401 token_expired"
    assert me(target, forge(eve["access_token"], exp=now + 60)) == "200"
    assert me(target, forge(eve["access_token"], iat=now + 3600)) == "200"
    expired = {"refresh_token": forge(eve["refresh_token"], exp=now - 1)}
    assert target.api("POST", "/auth/refresh", expired).error == "401 token_expired"


def test_the_token_of_a_session_that_ended_a_moment_ago(target: Target) -> None:
    token = target.register("leaving@example.com")["access_token"]
    with target.socket(token) as socket:
        assert target.api("POST", "/auth/logout", {}, token).status == 204
        assert me(target, token) == "401 invalid_token"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_the_token_of_a_user_who_was_deleted_or_demoted_a_moment_ago(
    launched: Any, tmp_path: Path
) -> None:
    server: Target = launched()
    data = f"--data-dir={tmp_path / 'data'}"
    admin = server.register("admin@example.com")["access_token"]
    gone = server.register("gone@example.com")["access_token"]
    with server.socket(gone) as socket:
        assert run(data, "user", "delete", "gone@example.com").returncode == 0
        assert me(server, gone) == "401 invalid_token"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    assert server.api("GET", "/settings/admin", token=admin).status == 200
    server.program.stop()
    with closing(sqlite3.connect(tmp_path / "data" / "quillium.db")) as database:
        database.execute("UPDATE users SET is_admin = 0")
        database.commit()
    again: Target = launched()
    # Its claim still says that they are one.
    assert jwt.decode(admin, options={"verify_signature": False})["admin"] is True
    assert again.api("GET", "/settings/admin", token=admin).error == "403 forbidden"
    assert me(again, admin) == "200"


def test_a_refresh_token_used_again_after_its_successor_was_used(launched: Any) -> None:
    """A restart forgets the grace period of two tabs, but not what was used."""
    server: Target = launched()
    stolen = server.register("ada@example.com")["refresh_token"]
    lost = server.api("POST", "/auth/refresh", {"refresh_token": stolen})
    within = server.api("POST", "/auth/refresh", {"refresh_token": stolen})
    assert (lost.status, within.status) == (200, 200)
    own = server.api("POST", "/auth/refresh", {"refresh_token": within.body["refresh_token"]}).body
    server.program.stop()
    again: Target = launched()
    assert me(again, own["access_token"]) == "200"
    reused = again.api("POST", "/auth/refresh", {"refresh_token": stolen})
    assert reused.error == "401 invalid_token"
    for token in (own["access_token"], within.body["access_token"]):
        assert me(again, token) == "401 invalid_token"
    for tokens in (own, within.body):
        refused = again.api("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        assert refused.error == "401 invalid_token"


def test_50_refreshes_of_one_token_at_once(target: Target) -> None:
    token = {"refresh_token": target.register("tabs@example.com")["refresh_token"]}
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: target.api("POST", "/auth/refresh", token), range(50)))
    assert {answer.status for answer in answers} == {200}
    chains = {
        jwt.decode(answer.body["refresh_token"], options={"verify_signature": False})["jti"]
        for answer in answers
    }
    assert len(chains) == 1
    assert me(target, answers[0].body["access_token"]) == "200"


@pytest.mark.parametrize("field", ["is_admin", "id", "created_at", "password_hash", "number"])
def test_fields_that_are_not_the_users_to_set(
    target: Target, eve: dict[str, Any], field: str
) -> None:
    before = target.api("GET", "/users/me", token=eve["access_token"]).body
    body = {"email": f"{field}@example.com", "password": PASSWORD, field: True}
    assert target.api("POST", "/auth/register", body).error == "400 invalid_request"
    change = {"name": "Mallory", field: True}
    refused = target.api("PUT", "/users/me", change, eve["access_token"])
    assert refused.error == "400 invalid_request"
    assert target.api("GET", "/users/me", token=eve["access_token"]).body == before
    assert target.login(f"{field}@example.com").error == "401 invalid_credentials"


def test_50_registrations_at_once_on_an_empty_server(launched: Any) -> None:
    server: Target = launched()
    emails = [f"user{n}@example.com" for n in range(50)]
    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(server.register, emails))
    assert sum(registered["user"]["is_admin"] for registered in made) == 1
    body = {"email": "twice@example.com", "password": PASSWORD}
    with ThreadPoolExecutor(8) as pool:
        twice = list(pool.map(lambda _: server.api("POST", "/auth/register", body), range(8)))
    assert sorted(answer.status for answer in twice) == [201] + [409] * 7


def test_login_with_an_unknown_address(target: Target, eve: dict[str, Any]) -> None:
    """That a password is compared all the same is seen in tests/handlers/test_auth.py."""
    unknown = target.login("nobody@example.com", "a wrong password")
    wrong = target.login("eve@example.com", "a wrong password")
    assert unknown.error == "401 invalid_credentials"
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)
    assert unknown.headers.keys() == wrong.headers.keys()


def test_1000_logins_at_once(launched: Any) -> None:
    server: Target = launched("--bcrypt-cost=8")
    token = server.register("ada@example.com")["access_token"]
    server.api("PUT", "/settings/admin", {"rate_limit_per_minute": 0}, token)

    def attempt(number: int) -> str:
        return server.login(f"user{number}@example.com").error

    with server.bounded(), ThreadPoolExecutor(200) as pool:
        flood = [pool.submit(attempt, number) for number in range(1000)]
        meanwhile = [me(server, token) for _ in range(20)]
        seen = [attempt.result() for attempt in flood]
    assert set(meanwhile) == {"200"}
    assert set(seen) == {"401 invalid_credentials", "429 rate_limited"}


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("with a \u0001 and more", "with a \u0001 and less"),
        ("😀" * 256, "😀" * 255),
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("ä" * 40 + "a", "ä" * 40),
        ("        ", "         "),
        ("12345678\0rest", "12345678\0best"),
        ("12345678\0", "12345678"),
    ],
)
def test_each_password_is_its_own(target: Target, password: str, other: str) -> None:
    email = f"{hashlib.sha256(password.encode()).hexdigest()[:12]}@example.com"
    target.register(email, password)
    assert target.login(email, password).status == 200
    assert target.login(email, other).error == "401 invalid_credentials"


def test_api_keys_in_the_database_file(launched: Any, tmp_path: Path) -> None:
    server: Target = launched()
    token = server.register("ada@example.com")["access_token"]
    made = server.api("POST", "/users/api-key", {}, token).body
    key = made["api_key"]
    assert me(server, key) == "200"
    files = [file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file()]
    assert not any(key.encode() in content for content in files)
    assert any(hashlib.sha256(key.encode()).hexdigest().encode() in content for content in files)
    assert me(server, key[:-1]) == "401 invalid_token"
    assert server.api("DELETE", f"/users/api-key/{made['id']}", token=token).status == 204
    assert me(server, key) == "401 invalid_token"
