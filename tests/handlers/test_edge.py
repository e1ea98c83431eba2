"""Rules for every request: contract sections 1 to 3 and 9, docs/security.md, "The edge"."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from tests.conftest import Client, Clock
from tests.handlers.raw import raw


async def test_request_ids(anyone: Client) -> None:
    kept = await anyone("GET /health", headers={"X-Request-Id": "mine-1.2_3"})
    assert kept.headers["X-Request-Id"] == "mine-1.2_3"
    for bad in ("a b", "x" * 65, "ä", "<script>"):
        answer = await anyone("GET /chats", headers={"X-Request-Id": bad})
        assert re.fullmatch(r"req_[0-9A-Za-z]+", answer.headers["X-Request-Id"])


async def test_unknown_paths_are_a_json_404(ada: Client) -> None:
    for path in ("/nothing", "/chats/", "/chats/a/b", "/chats/a-b", "/chats/%2e%2e", "/users/ME"):
        answer = await ada(f"GET {path}")
        assert answer.error == "404 not_found", path
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "PUT", "DELETE"])
async def test_wrong_methods(ada: Client, base_url: str, method: str) -> None:
    request = f"{method} /api/v1/chats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    status, headers, _ = await raw(base_url, request.encode())
    assert "405" in status
    assert headers["allow"] == "GET, HEAD, OPTIONS, POST"
    override = await ada("POST /chats/{id}", {}, id="x", headers={"X-HTTP-Method-Override": "GET"})
    assert override.error == "405 method_not_allowed"


async def test_head_works_wherever_get_does(ada: Client) -> None:
    chat = await ada.chat()
    for path in (
        "/users/me",
        "/chats",
        "/chats/{id}",
        "/chats/{id}/messages",
        "/models",
        "/health",
    ):
        get, head = await ada(f"GET {path}", id=chat), await ada(f"HEAD {path}", id=chat)
        assert (head.status, head.raw) == (200, b"")
        if path != "/health":
            assert head.headers["Content-Length"] == str(len(get.raw))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"nonsense", b'{"title": "a", "title": "b"}', b'{"title": NaN}',
     b'{"title": Infinity}', b'{"title": 1e400}', b"\xef\xbb\xbf{}", b'{"title": "\xff"}',
     '{"title": "x"}'.encode("utf-16"), b'{"title": "\\ud800"}', b'{"title": "a\\u0000b"}',
     b'{"title": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 100_000,
     b'{"__proto__": {}}', b'{"title": 10' + b"0" * 400 + b"}", b"{} {}", b'{"\\ud800": 1}',
     b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}"],
)  # fmt: skip
async def test_bad_bodies(ada: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    if body:
        assert (await ada("POST /chats", body, headers=headers)).error == "400 invalid_request"
    login = await ada("POST /auth/login", body, headers=headers)
    assert login.error == "400 invalid_request"
    assert (await ada("GET /chats")).body["data"] == []


async def test_content_types(ada: Client) -> None:
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert (await ada("POST /chats", {}, headers={"Content-Type": kind})).status == 201
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await ada("POST /chats", {}, headers={"Content-Type": kind})
        assert answer.error == "415 unsupported_media_type"
    packed = await ada("POST /chats", b"{}", headers={"Content-Encoding": "gzip"})
    assert packed.error == "415 unsupported_media_type"


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_body_of_a_byte_too_much(ada: Client, base_url: str, is_chunked: bool) -> None:
    size = (1 << 20) + 1
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size}"
    head = (
        f"POST /api/v1/chats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ada.credential}"
        f"\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    )
    body = b"x" * size
    if is_chunked:
        body = f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    status, _, answer = await raw(base_url, head.encode() + body)
    assert "413" in status
    assert b'"payload_too_large"' in answer
    padded = b'{"title": "x"' + b" " * ((1 << 20) - 14) + b"}"
    assert len(padded) == 1 << 20
    assert (await ada("POST /chats", padded)).status == 201


async def test_a_hundred_requests_pass_over_all_doors_together(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    clock.advance(61)
    other = await anyone.login("ada@example.com")  # counted by address
    chat = (await ada("POST /chats", {})).body["id"]
    made = await ada("POST /users/api-key")
    assert made.headers["X-RateLimit-Remaining"] == "98"
    reset = int(made.headers["X-RateLimit-Reset"])
    assert clock.now + 59 < reset <= clock.now + 61
    key = ada.with_credential(made.body["api_key"])
    socket = await ada.socket()
    for _ in range(10):
        await socket.send("message", chat_id=chat, content="x")
        await socket.until("message", sender="user")
    left = []
    for number in range(87):
        answer = await (ada, key, other)[number % 3]("GET /users/me")
        assert answer.status == 200
        left.append(int(answer.headers["X-RateLimit-Remaining"]))
    assert left == list(range(86, -1, -1))
    for client in (ada, key, other):
        refused = await client("GET /users/me")
        assert refused.error == "429 rate_limited"
        assert refused.headers["X-RateLimit-Limit"] == "100"
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
    await socket.send("message", chat_id=chat, content="one too many")
    assert (await socket.until("error"))["code"] == "rate_limited"
    clock.advance(60)
    assert (await ada("GET /users/me")).headers["X-RateLimit-Remaining"] == "99"


async def test_callers_without_a_user_are_counted_by_address(
    anyone: Client, ada: Client, clock: Clock
) -> None:
    clock.advance(61)
    for _ in range(50):
        assert (await anyone("GET /users/me")).status == 401
        assert (await ada.with_credential("nonsense")("GET /users/me")).status == 401
    assert (await anyone("GET /users/me")).error == "429 rate_limited"
    spoofed = await anyone("GET /users/me", headers={"X-Forwarded-For": "203.0.113.9"})
    assert spoofed.error == "429 rate_limited"
    assert (await ada("GET /users/me")).status == 200


async def test_what_is_not_counted(anyone: Client) -> None:
    for operation in ("GET /health", "GET /", "OPTIONS /chats"):
        answer = await anyone(operation)
        assert answer.status < 300
        assert "X-RateLimit-Limit" not in answer.headers


async def test_the_admin_changes_the_limit_at_once(ada: Client, bob: Client) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 3})
    statuses = [(await bob("GET /users/me")).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_no_limit(ada: Client, anyone: Client) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 0})
    for _ in range(150):
        answer = await ada("GET /users/me")
        assert answer.status == 200
        assert "X-RateLimit-Limit" not in answer.headers
        assert (await anyone("GET /users/me")).status == 401


OWN = "http://127.0.0.1:{port}"
GOOD = ["http://localhost:3000", "https://localhost", "http://127.0.0.1:5173", "http://[::1]:8080",
        "tauri://localhost", "http://tauri.localhost", "https://tauri.localhost",
        "capacitor://localhost", "http://app.localhost:3000"]  # fmt: skip
EVIL = ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:80@evil",
        "http://localhost@evil.example", "tauri://localhost.evil", "http://127.0.0.1.evil.example",
        "http://0x7f.1", "file://", "http://localhost:3000/", ""]  # fmt: skip


@pytest.mark.parametrize("origin", GOOD)
async def test_origins_that_may_call(ada: Client, origin: str) -> None:
    answer = await ada("GET /users/me", headers={"Origin": origin})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "X-RateLimit-Remaining" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    error = await ada("GET /nothing", headers={"Origin": origin})
    assert error.headers["Access-Control-Allow-Origin"] == origin
    preflight = await ada.with_credential(None)(
        "OPTIONS /chats/{id}",
        id="chat_1",
        headers={"Origin": origin, "Access-Control-Request-Method": "PATCH"},
    )
    assert preflight.status == 204
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


async def test_an_allowed_origin_may_send_any_header(anyone: Client) -> None:
    origin = {"Origin": "http://localhost:5173"}
    for requested in ("x-stainless-os,authorization", "X-Mine, Sentry-Trace, baggage"):
        sent = {**origin, "Access-Control-Request-Headers": requested}
        answer = await anyone("OPTIONS /chats", headers=sent)
        assert answer.headers["Access-Control-Allow-Headers"] == requested
        assert answer.headers["Vary"] == "Origin, Access-Control-Request-Headers"
    for requested in ("", "a b", "x,", "x" * 101, "<script>"):
        sent = {**origin, "Access-Control-Request-Headers": requested}
        answer = await anyone("OPTIONS /chats", headers=sent)
        assert answer.headers["Access-Control-Allow-Headers"].startswith("Authorization, Content-")


@pytest.mark.parametrize("origin", EVIL)
async def test_origins_that_may_not(ada: Client, origin: str) -> None:
    for operation in ("GET /users/me", "OPTIONS /chats", "POST /auth/login", "GET /health"):
        answer = await ada(operation, headers={"Origin": origin})
        assert answer.error == "403 forbidden"
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.flags("--cors-allowed-origins=https://app.example.com,null")
async def test_origins_that_were_named(ada: Client) -> None:
    for origin in ("https://app.example.com", "null"):
        assert (await ada("GET /users/me", headers={"Origin": origin})).status == 200
    evil = {"Origin": "https://app.example.com.evil"}
    assert (await ada("GET /users/me", headers=evil)).error == "403 forbidden"


@pytest.mark.flags("--cors-allowed-origins=*")
async def test_any_origin(ada: Client) -> None:
    answer = await ada("GET /users/me", headers={"Origin": "https://evil.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.example"


async def test_hosts(ada: Client, base_url: str) -> None:
    port = base_url.rpartition(":")[2]
    for good in ("localhost", f"LocalHost:{port}", "127.0.0.1", "127.9.9.9:1", f"[::1]:{port}"):
        assert (await ada("GET /users/me", headers={"Host": good})).status == 200
    for evil in (
        "evil.example",
        f"evil.example:{port}",
        "localhost.evil.example",
        "0x7f.1",
        "[",
        "",
    ):
        for operation in (
            "GET /users/me",
            "GET /",
            "GET /static/page/styles/scales.css",
            "GET /health",
        ):
            answer = await ada(operation, headers={"Host": evil, "Origin": f"http://{evil}"})
            if evil or operation == "GET /users/me":
                assert answer.error == "403 forbidden", evil


@pytest.mark.flags("--allowed-hosts=Quill.example")
async def test_hosts_that_were_named(ada: Client) -> None:
    assert (await ada("GET /users/me", headers={"Host": "quill.example:80"})).status == 200
    assert (await ada("GET /users/me", headers={"Host": "evil.example"})).status == 403


async def test_a_bug_says_nothing_but_its_request_id(
    ada: Client, rooms: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("/home/secret SELECT")

    monkeypatch.setattr(rooms.settings, "of_user", broken)
    with caplog.at_level(logging.CRITICAL):
        answer = await ada("GET /settings/user", headers={"X-Request-Id": "abc"})
    assert answer.error == "500 internal_error"
    assert answer.details == "Request abc"
