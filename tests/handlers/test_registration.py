"""`GET /auth/registration`: what a sign-in page can know before sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Client

STATE = "GET /auth/registration"


async def test_the_first_account_is_announced(anyone: Client) -> None:
    assert (await anyone(STATE)).body == {
        "is_open": True,
        "is_first": True,
        "needs_setup_code": False,
    }
    await anyone.register("ada@example.com")
    state = (await anyone(STATE)).body
    assert (state["is_open"], state["is_first"]) == (True, False)


async def test_closed_registration_is_told(ada: Client, anyone: Client) -> None:
    await ada("PUT /settings/admin", {"allow_registration": False})
    assert (await anyone(STATE)).body["is_open"] is False
    refused = await anyone("POST /auth/register", {"email": "b@x.org", "password": "good enough"})
    assert refused.error == "403 registration_closed"


@pytest.mark.flags("--sidecar")
async def test_a_sidecar_has_no_registration(anyone: Client) -> None:
    assert (await anyone(STATE)).body["is_open"] is False
    account = {"email": "ada@example.com", "password": "good enough"}
    assert (await anyone("POST /auth/register", account)).error == "403 registration_closed"


async def test_on_a_network_the_first_account_needs_the_setup_code(
    anyone: Client, rooms: Any
) -> None:
    rooms.registration.require_setup_code("printed-code")
    assert (await anyone(STATE)).body["needs_setup_code"] is True
    account = {"email": "ada@example.com", "password": "good enough"}
    for given in ({}, {"setup_code": ""}, {"setup_code": "guessed"}, {"setup_code": "é"}):
        refused = await anyone("POST /auth/register", {**account, **given})
        assert refused.error == "403 forbidden"
        assert "setup_code" in refused.body["error"]["details"]
    made = await anyone("POST /auth/register", {**account, "setup_code": " printed-code "})
    assert made.body["user"]["is_admin"] is True
    assert (await anyone(STATE)).body["needs_setup_code"] is False
    other = await anyone("POST /auth/register", {**account, "email": "bob@example.com"})
    assert other.status == 201  # only the first one needs it
