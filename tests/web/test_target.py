"""Equivalent forms of a request target (contract, section 1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Client
from tests.handlers.raw import raw


async def status(ada: Client, target: str, host: str = "localhost") -> str:
    request = (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {ada.credential}\r\n\r\n"
    )
    line, headers, _ = await raw(ada.base_url, request.encode())
    assert headers["content-type"].startswith(("application/json", "text/"))
    return line.split(" ")[1]


@pytest.mark.parametrize(
    "target",
    ["/api/v1/chats", "/api/v1/%63hats", "/%61%50i/v1/chats".replace("%50", "%70"), "/api%2Fv1",
     "http://localhost:1/api/v1/chats", "HTTP://localhost/api/v1/chats?limit=1",
     "https://127.0.0.1/v1/chats", "http://localhost/api/v1/%63hats", "/static/%71uillium.js",
     "http://localhost", "http://localhost?x=1"],
)  # fmt: skip
async def test_equivalent_targets(ada: Client, target: str) -> None:
    expected = "404" if "%2F" in target else "200"  # a reserved character is not its encoded form
    assert await status(ada, target) == expected


async def test_the_host_of_the_absolute_form_wins(ada: Client) -> None:
    assert await status(ada, "http://evil.example/api/v1/chats") == "403"
    assert await status(ada, "http://localhost/api/v1/chats", host="evil.example") == "200"
    assert await status(ada, "http://localhost@evil.example/api/v1/chats") == "404"


@pytest.mark.parametrize(
    "target",
    ["ftp://localhost/api/v1/chats", "api/v1/chats", "*", "//localhost/api/v1/chats",
     "/static/%2e%2e/setup.cfg", "/static/%252e%252e/setup.cfg", "/static/%%32e%%32e/setup.cfg",
     "http://localhost/static/%2e%2e%2fsetup.cfg", "/api/v1/chats/%2e%2e/users/me"],
)  # fmt: skip
async def test_others_are_not_found(ada: Client, target: str) -> None:
    assert await status(ada, target) == "404"


async def test_links_have_the_plain_path(ada: Client, app: Any) -> None:
    for _ in range(2):
        await ada.chat()
    answer = await ada("GET /%63hats", query={"limit": 1})
    assert answer.body["pagination"]["next"] == "/api/v1/chats?limit=1&offset=1"


async def status_at(base_url: str, target: str, *headers: str) -> str:
    head = "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *headers])
    line, _, _ = await raw(base_url, f"{head}\r\n\r\n".encode())
    return line.split(" ")[1]


@pytest.mark.flags("--base-path=/quillium/")
async def test_a_base_path(ada: Client) -> None:
    for target in ("/quillium/health", "/quillium/static/%71uillium.js", "/%71uillium/docs",
                   "http://localhost/quillium/health", "/quillium/", "/health", "/"):  # fmt: skip
        assert await status_at(ada.base_url, target) == "200", target
    for target in ("/quilliumx/health", "/quillium/quillium/health", "/quillium//health"):
        assert await status_at(ada.base_url, target) == "404", target
    ignored = "X-Forwarded-Prefix: /other"  # the proxy is not trusted
    assert await status_at(ada.base_url, "/other/health", ignored) == "404"


@pytest.mark.flags("--base-path=/quillium")
async def test_what_is_sent_has_the_base_path(ada: Client) -> None:
    for _ in range(2):
        await ada.chat()
    for prefix in ("/api/v1", "/quillium/api/v1"):  # a proxy may have removed it
        page = await ada("GET /chats", query={"limit": 1}, prefix=prefix)
        assert page.body["pagination"]["next"] == "/quillium/api/v1/chats?limit=1&offset=1"
    made = await ada("POST /users", {"email": "eve@example.com"}, prefix="/quillium/v1")
    assert made.body["link"] == f"{ada.base_url}/quillium/#code={made.body['code']}"
    described = await ada("GET /openapi.json", prefix="/quillium/api/v1")
    assert described.body["servers"][0]["url"] == "/quillium"
    socket = await ada.socket(prefix="/quillium/api/v1")
    await socket.send("typing")
    assert (await socket.next() or {})["type"] == "error"


@pytest.mark.flags("--base-path=/quillium")
async def test_the_base_path_itself_leads_to_the_page(base_url: str) -> None:
    request = "GET /quillium?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    line, headers, body = await raw(base_url, request.encode())
    assert "307" in line
    assert headers["location"] == "/quillium/?x=1"
    assert body == b""


@pytest.mark.flags("--trusted-proxy", "--base-path=/quillium")
@pytest.mark.parametrize(
    ("sent", "base"),
    [("/chat", "/chat"), ("/evil, /chat/", "/chat"), ("//evil.example", "/quillium"), ("", "/quillium")],
)  # fmt: skip
async def test_a_trusted_proxy_names_the_base_path(ada: Client, sent: str, base: str) -> None:
    headers = {"X-Forwarded-Prefix": sent}
    for _ in range(2):
        await ada.chat()
    for prefix in ("/api/v1", f"{base}/api/v1"):
        page = await ada("GET /chats", query={"limit": 1}, prefix=prefix, headers=headers)
        assert page.body["pagination"]["next"] == f"{base}/api/v1/chats?limit=1&offset=1"
