"""Registration: the admin's setting, and a setup code on a network."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Forbidden, RegistrationClosed
from services.registration import Registration
from tests.services.conftest import PASSWORD


def made(rooms: Any, *, has_owner: bool = False) -> Registration:
    return Registration(rooms.db, rooms.settings, has_owner=has_owner)


async def test_anybody_may_be_the_first(rooms: Any) -> None:
    registration = made(rooms)
    registration.check(None)
    assert registration.state() == {"is_open": True, "is_first": True, "needs_setup_code": False}


async def test_the_admin_closes_it(rooms: Any) -> None:
    registration = made(rooms)
    await rooms.settings.update_of_admin({"allow_registration": False})
    assert registration.state()["is_open"] is False
    with pytest.raises(RegistrationClosed):
        registration.check(None)


async def test_it_is_closed_where_there_is_an_owner(rooms: Any) -> None:
    with pytest.raises(RegistrationClosed):
        made(rooms, has_owner=True).check(None)


async def test_the_first_account_needs_the_setup_code(rooms: Any) -> None:
    registration = made(rooms)
    registration.require_setup_code("c0de")
    assert registration.state() == {"is_open": True, "is_first": True, "needs_setup_code": True}
    for wrong in (None, "", "c0d", "ç0de"):
        with pytest.raises(Forbidden, match="setup_code"):
            registration.check(wrong)
    registration.check(" c0de\n")  # as it is pasted
    await rooms.administration.add("ada@example.com", PASSWORD)
    registration.check(None)
    assert registration.state() == {"is_open": True, "is_first": False, "needs_setup_code": False}
