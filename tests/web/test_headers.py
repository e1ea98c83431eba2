"""The security headers of each kind of response, over the network."""

from __future__ import annotations

import pytest

from tests.conftest import Client
from tests.handlers.raw import raw
from web import headers


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", headers.API),
        ("/users/me", headers.API),  # 401
        ("/nothing", headers.API),  # 404
        ("/ws", headers.API),  # 400, no handshake
        ("/openai/v1/models", headers.API),
        ("/static/nothing.js", headers.API),  # 404
        ("/openapi.json", headers.API),
        ("/static/quillium.js", headers.STATIC),
        ("/static/bundle/page.js", headers.STATIC),
        ("/static/icons/touch.png", headers.STATIC),
        ("/favicon.ico", headers.STATIC),
        ("/", headers.PAGE),
        ("/docs", headers.PAGE),
        ("/static/index.html", headers.PAGE),
    ],
)
async def test_each_response_has_its_headers(
    anyone: Client, path: str, expected: dict[str, str]
) -> None:
    sent = (await anyone(f"GET {path}")).headers
    assert {name: sent.get(name) for name in expected} == expected
    assert ("Cross-Origin-Opener-Policy" in sent) == (expected is headers.PAGE)


async def test_a_malformed_request_has_them_too(base_url: str) -> None:
    status, sent, _ = await raw(base_url, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    assert "400" in status
    assert {name: sent.get(name.lower()) for name in headers.API} == headers.API


async def test_an_unchanged_file_keeps_them(anyone: Client) -> None:
    etag = (await anyone("GET /")).headers["Etag"]
    again = await anyone("GET /", headers={"If-None-Match": etag})
    assert again.status == 304
    assert headers.PAGE.items() <= dict(again.headers.get_all()).items()


ANYTHING = ["GET /health", "GET /", "GET /users/me", "GET /nothing", "OPTIONS /chats"]


@pytest.mark.parametrize("path", ANYTHING)
async def test_nobody_but_a_trusted_proxy_says_https(anyone: Client, path: str) -> None:
    sent = await anyone(path, headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in sent.headers


@pytest.mark.flags("--trusted-proxy")
@pytest.mark.parametrize("path", ANYTHING)
async def test_a_trusted_proxy_says_https(anyone: Client, path: str) -> None:
    sent = await anyone(path, headers={"X-Forwarded-Proto": "https"})
    assert sent.headers["Strict-Transport-Security"] == headers.TRANSPORT_SECURITY
    for proto in ("http", "https, http", ""):
        sent = await anyone(path, headers={"X-Forwarded-Proto": proto})
        assert "Strict-Transport-Security" not in sent.headers
