"""What an entrance page learns before anybody is signed in."""

from __future__ import annotations

import pytest

from tests.conftest import Client

STATE = "GET /auth/registration"


async def test_the_first_account_is_announced(anyone: Client) -> None:
    assert (await anyone(STATE)).body == {"is_open": True, "is_first": True}
    await anyone.register("ada@example.com")
    assert (await anyone(STATE)).body == {"is_open": True, "is_first": False}


async def test_closed_registration_is_told(ada: Client, anyone: Client) -> None:
    await ada("PUT /settings/admin", {"allow_registration": False})
    assert (await anyone(STATE)).body == {"is_open": False, "is_first": False}
    refused = await anyone("POST /auth/register", {"email": "b@x.org", "password": "good enough"})
    assert refused.error == "403 registration_closed"


@pytest.mark.flags("--sidecar")
async def test_a_sidecar_has_no_registration(anyone: Client) -> None:
    assert (await anyone(STATE)).body["is_open"] is False
