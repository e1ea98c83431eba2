"""Settings of users, and of the admin for the whole server.

The schemas define the defaults. The admin's settings are cached in memory, because every request
needs the rate limit; the cache is updated once a change is durable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import schemas
from core.errors import InvalidRequest
from core.records import User
from core.times import CalendarClock, rfc3339
from services import provider_settings
from storage import settings as stored
from storage.connection import Connection
from storage.database import Database

REQUESTS_PER_MINUTE = 100  # of a user, if neither a flag nor an admin says otherwise


class Settings:
    """Reads and merges settings; the rules for providers are in contract section 5."""

    def __init__(
        self,
        db: Database,
        clock: CalendarClock,
        use_providers: Callable[[Sequence[dict[str, Any]]], None],
        is_built_in: Callable[[str], bool] = lambda model: False,
        rate_limit: int = REQUESTS_PER_MINUTE,
    ) -> None:
        """Load the settings. `use_providers` receives the admin's providers, now and on change.

        `is_built_in` returns whether a model name is reserved for a built-in model. `rate_limit`
        is the default of `rate_limit_per_minute`.
        """
        self._db = db
        self._clock = clock
        self._use_providers = use_providers
        self._is_built_in = is_built_in
        self._user_defaults = schemas.defaults("user_settings")
        self._user_fields = list(schemas.SCHEMAS["user_settings"]["properties"])
        self._admin_defaults = {
            **schemas.defaults("admin_settings"),
            "rate_limit_per_minute": rate_limit,
        }
        document, updated_at = db.read(stored.of_server)
        self._cache(document, updated_at or rfc3339(clock()))

    def of_user(self, user: User) -> dict[str, Any]:
        chosen, updated_at = self._db.cached_read(stored.of_user, user.row_id)
        return self._public(json.loads(chosen), updated_at)

    async def update_of_user(self, user: User, changes: dict[str, Any]) -> dict[str, Any]:
        """Merge changes into a user's settings; omitted settings keep their values.

        Raises `InvalidRequest`.
        """
        _check_presets(changes)
        now = rfc3339(self._clock())
        chosen = await self._db.write(stored.merge_of_user, user.row_id, changes, now)
        return self._public(chosen, now)

    def _public(self, chosen: dict[str, Any], updated_at: str) -> dict[str, Any]:
        """Return a user's settings, the reference's four fields first (contract, section 5)."""
        shared = self._admin["presets"]
        settings = {
            **self._user_defaults,
            **chosen,
            "updated_at": updated_at,
            "shared_presets": shared,
        }
        return {name: settings[name] for name in self._user_fields}

    def admin(self) -> dict[str, Any]:
        """Return the admin's settings with the providers' keys, for internal use only."""
        return self._admin

    def of_admin(self) -> dict[str, Any]:
        """Return the admin's settings as responses show them, without keys."""
        providers = [provider_settings.shown(provider) for provider in self._admin["providers"]]
        return {**self._admin, "providers": providers}

    def check(self, changes: dict[str, Any]) -> None:
        """Raise `InvalidRequest` unless the admin may make these changes."""
        _check_presets(changes)
        provider_settings.check(changes.get("providers", []), self._is_built_in)

    async def update_of_admin(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Merge changes, effective at once without a restart. Raises `InvalidRequest`."""
        self.check(changes)
        now = rfc3339(self._clock())

        def merge(connection: Connection) -> dict[str, Any]:
            document, _ = stored.of_server(connection)
            merged = {**document, **changes}
            if "providers" in changes:
                known = {provider["name"]: provider for provider in document.get("providers", [])}
                merged["providers"] = [
                    provider_settings.stored(provider, known) for provider in changes["providers"]
                ]
            stored.replace_of_server(connection, merged, now)
            return merged

        await self._db.write(merge, on_commit=lambda document: self._cache(document, now))
        return self.of_admin()

    def _cache(self, document: dict[str, Any], updated_at: str) -> None:
        self._admin = {**self._admin_defaults, **document, "updated_at": updated_at}
        self._use_providers(self._admin["providers"])


def _check_presets(changes: dict[str, Any]) -> None:
    names = [preset["name"] for preset in changes.get("presets", [])]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidRequest(f"presets.{index}.name: another preset has this name")
