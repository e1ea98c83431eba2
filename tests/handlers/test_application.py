"""Routing: how the application finds the handler of a path."""

from __future__ import annotations

import json

import pytest

from handlers import routes
from handlers.application import QuilliumApplication
from tests.conftest import Client


@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
async def test_the_api_has_two_prefixes(ada: Client, prefix: str) -> None:
    assert (await ada("GET /users/me", prefix=prefix)).status == 200


async def test_a_route_is_matched_whole(ada: Client) -> None:
    for path in (
        "/users/me/",
        "/users/mex",
        "/xusers/me",
        "/v2/users/me",
        "/chats/a-b",
        "/chats/a/b",
    ):
        assert (await ada(f"GET {path}")).error == "404 not_found", path


async def test_only_what_looks_like_an_accounts_id_is_one(ada: Client) -> None:
    assert "user" in (await ada("PATCH /users/user_none", {"name": "x"})).details
    unknown = await ada("PATCH /users/ME", {"name": "x"})
    assert unknown.error == "404 not_found"
    assert "user" not in unknown.details.lower().replace("/users/", "")


async def test_an_unknown_path_has_the_errors_of_its_api(ada: Client) -> None:
    here = json.loads((await ada("GET /nothing")).raw)
    there = json.loads((await ada("GET /openai/v1/nothing")).raw)
    assert here["error"]["code"] == "not_found"
    assert there["error"]["type"] == "invalid_request_error"


async def test_placeholders_are_unquoted(ada: Client) -> None:
    provider = {"name": "p", "base_url": "http://127.0.0.1:9/v1", "models": ["a/b c"]}
    await ada("PUT /settings/admin", {"providers": [provider]})
    assert (await ada("GET /openai/v1/models/a/b%20c")).body["id"] == "a/b c"
    assert (await ada("GET /openai/v1/models/a%2Fb%20c")).body["id"] == "a/b c"
    assert (await ada("GET /openai/v1/models/a/b+c")).status == 404


def test_the_handlers_get_what_they_need(app: QuilliumApplication) -> None:
    assert {"static_folder", "is_draining", "control_key", "in_flight"} <= app.settings.keys()
    ping = app.settings["websocket_ping_interval"] + app.settings["websocket_ping_timeout"]
    assert ping <= 60  # seconds until a dead peer is gone


async def test_every_literal_path_has_a_handler(ada: Client) -> None:
    """A path that no row has is 404; one that has a row knows its methods."""
    for route in routes.API:
        if "{" not in route.path and "PUT" not in route.operations:
            assert (await ada(f"PUT {route.path}", {})).error == "405 method_not_allowed"
