"""Which paths belong to the API."""

from __future__ import annotations

import pytest

from core.api_paths import is_api, without_prefix


@pytest.mark.parametrize(
    ("path", "is_of_api", "rest"),
    [
        ("/api/v1/chats", True, "/chats"),
        ("/v1/chats/chat_1", True, "/chats/chat_1"),
        ("/openai/v1/models", True, "/openai/v1/models"),
        ("/api/v1", False, "/api/v1"),
        ("/api/v10/chats", False, "/api/v10/chats"),
        ("/v1x/chats", False, "/v1x/chats"),
        ("/static/api/v1/x", False, "/static/api/v1/x"),
        ("/", False, "/"),
    ],
)
def test_the_prefixes(path: str, is_of_api: bool, rest: str) -> None:
    assert is_api(path) == is_of_api
    assert without_prefix(path) == rest
