"""API keys (contract, section 4)."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from core import ids
from core.errors import InvalidToken, TokenExpired
from core.records import ApiKey, Caller, Client, Page, User
from core.times import CalendarClock, MonotonicClock, MonotonicTime, rfc3339
from services import security_log
from services.connections import ConnectionRegistry
from storage import api_keys
from storage.database import Database

KEY_PREFIX = "qk_"
_TOUCH_SECONDS = 60.0  # the precision of `last_used_at`
_DAY_SECONDS = 24 * 60 * 60


class ApiKeys:
    """Create, list, authenticate and revoke API keys."""

    def __init__(
        self,
        db: Database,
        connections: ConnectionRegistry,
        clock: CalendarClock,
        monotonic: MonotonicClock,
    ) -> None:
        self._db = db
        self._connections = connections
        self._clock = clock
        self._monotonic = monotonic
        self._touched: dict[str, MonotonicTime] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def authenticate(self, key: str, client: Client) -> Caller:
        """Return the caller of a key. Raises `InvalidToken` or `TokenExpired`."""
        found = self._db.cached_read(api_keys.find_by_hash, hashed(key))
        if found is None:
            raise InvalidToken("This is not an API key of this server, or it was revoked.")
        api_key, user = found
        if user.is_disabled:
            raise InvalidToken("The account is disabled.")
        if api_key.expires_at is not None and self._clock() >= api_key.expires_at:
            raise TokenExpired("The API key has expired. Create a new one.")
        self._touch(api_key, user, client)
        return Caller(user, api_key_id=api_key.id)

    def is_live(self, id: str) -> bool:
        """Return whether a key has been neither revoked nor expired."""
        return self._db.cached_read(api_keys.is_live, id, int(self._clock()))

    def page(self, user: User, limit: int, offset: int) -> Page[ApiKey]:
        """Return a page of a user's keys, oldest first, including expired ones."""
        return self._db.read(api_keys.page, user.row_id, limit, offset)

    async def create(
        self, user: User, name: str | None, expires_in_days: int | None, client: Client
    ) -> dict[str, Any]:
        """Create a key; this response is the only one that ever shows it."""
        key, now = KEY_PREFIX + ids.random_text(40), self._clock()
        expires_at = None
        if expires_in_days is not None:
            expires_at = int(now) + expires_in_days * _DAY_SECONDS
        made = await self._db.write(
            api_keys.add,
            ids.new("key"),
            user.row_id,
            name or "API key",
            prefix(key),
            hashed(key),
            rfc3339(now),
            expires_at,
        )
        security_log.record("api_key_created", client, user.id, api_key_id=made.id)
        public = made.public()
        del public["last_used_at"]
        return {"id": made.id, "name": made.name, "api_key": key, **public}

    async def revoke(self, user: User, id: str, client: Client) -> None:
        """Revoke a key at once; its sockets close. Raises `NotFound`."""
        await self._db.write(
            api_keys.delete,
            id,
            user.row_id,
            on_commit=lambda _: self._connections.end_api_key(user.id, id),
        )
        self._touched.pop(id, None)
        security_log.record("api_key_revoked", client, user.id, api_key_id=id)

    async def revoke_all(self, user: User, client: Client) -> None:
        """Revoke every key of a user at once; their sockets close."""
        await self._db.write(
            api_keys.delete_of_user,
            user.row_id,
            on_commit=lambda _: self._connections.end_api_keys(user.id),
        )
        security_log.record("api_keys_revoked", client, user.id)

    async def close(self) -> None:
        """Finish background writes."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _touch(self, api_key: ApiKey, user: User, client: Client) -> None:
        """Store when a key was used, at most once per minute."""
        now, touched = self._monotonic(), self._touched.get(api_key.id)
        if touched is None and api_key.last_used_at is None:
            security_log.record("api_key_first_used", client, user.id, api_key_id=api_key.id)
        if touched is not None and now < touched + _TOUCH_SECONDS:
            return
        self._touched[api_key.id] = now
        write = self._db.write(api_keys.touch, api_key.id, user.row_id, rfc3339(self._clock()))
        task = asyncio.ensure_future(write)
        self._tasks.add(task)
        task.add_done_callback(self._touch_done)

    def _touch_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # failing to store the time must not reject the request


def prefix(key: str) -> str:
    """Return the beginning of a key, by which its user recognises it."""
    return key[:10]


def hashed(key: str) -> str:
    """Return the stored form of a key."""
    return hashlib.sha256(key.encode("utf-8")).hexdigest()
