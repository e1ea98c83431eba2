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
