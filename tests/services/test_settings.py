"""Settings: defaults, merged updates, and admin settings that apply at once."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidRequest
from core.records import User
from core.times import rfc3339
from services.settings import Settings
from tests.conftest import Clock

PROVIDER = {"name": "local", "base_url": "http://localhost:11434/v1", "models": ["*"]}


async def test_a_change_keeps_what_it_leaves_out(
    rooms: Any, user: User, other: User, clock: Clock
) -> None:
    await rooms.settings.update_of_user(user, {"theme": "dark"})
    clock.advance(60)
    changed = await rooms.settings.update_of_user(user, {"language": "de"})
    assert (changed["theme"], changed["language"]) == ("dark", "de")
    assert changed["updated_at"] == rfc3339(clock())
    assert rooms.settings.of_user(user) == changed
    assert rooms.settings.of_user(other)["theme"] == "system"
    assert list(changed)[:4] == ["theme", "language", "notifications_enabled", "updated_at"]


async def test_the_admins_settings_outlive_a_restart(rooms: Any) -> None:
    await rooms.settings.update_of_admin({"system_prompt": "Be brief."})
    await rooms.settings.update_of_admin({"rate_limit_per_minute": 7})
    again = Settings(rooms.db, rooms.clock, lambda providers: None)
    assert again.admin() == rooms.settings.admin()
    assert again.admin()["system_prompt"] == "Be brief."
    assert again.admin()["rate_limit_per_minute"] == 7


async def test_providers_are_used_at_the_start_and_whenever_they_change(rooms: Any) -> None:
    used: list[list[str]] = []
    settings = Settings(
        rooms.db, rooms.clock, lambda providers: used.append([p["name"] for p in providers])
    )
    await settings.update_of_admin({"providers": [PROVIDER]})
    Settings(
        rooms.db, rooms.clock, lambda providers: used.append(["again", *providers[0]["models"]])
    )
    assert used == [[], ["local"], ["again", "*"]]


async def test_a_key_is_for_the_server_alone(rooms: Any) -> None:
    shown = await rooms.settings.update_of_admin({"providers": [{**PROVIDER, "api_key": "sk-1"}]})
    assert "sk-1" not in str(shown)
    assert shown == rooms.settings.of_admin()
    assert rooms.settings.admin()["providers"][0]["api_key"] == "sk-1"
    await rooms.settings.update_of_admin({"providers": [PROVIDER]})
    assert rooms.settings.admin()["providers"][0]["api_key"] == "sk-1"
    await rooms.settings.update_of_admin({"default_model": "m"})
    assert rooms.settings.admin()["providers"][0]["api_key"] == "sk-1"


async def test_a_provider_that_is_refused_changes_nothing(rooms: Any) -> None:
    settings = Settings(rooms.db, rooms.clock, lambda _: None, lambda model: model == "built-in")
    before = settings.admin()
    with pytest.raises(InvalidRequest, match="built-in"):
        await settings.update_of_admin({"providers": [{**PROVIDER, "models": ["built-in"]}]})
    assert settings.admin() is before
