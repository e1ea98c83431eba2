"""Accounts, sessions and API keys (contract, section 4).

Two promises: what a caller may do is read from the database each time, so a right that ended a
moment ago has ended; and hashing a password never holds up anybody but those who wait for one.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core import ids, passwords
from core.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidToken,
    RateLimited,
    RegistrationClosed,
)
from core.metrics import Metrics
from core.rate_limit import FailureLog
from core.records import ApiKey, Caller, User
from core.times import rfc3339
from core.tokens import Tokens
from services.connections import ConnectionRegistry
from services.settings import Settings
from storage import api_keys, sessions, users
from storage.connection import Connection
from storage.database import Database

T = TypeVar("T")

KEY_PREFIX = "qk_"
REFRESH_REUSE_GRACE_SECONDS = 10.0  # in which a refresh token may be used again: two tabs at once
_HASHING_THREADS = 2
_MAX_HASHING = _HASHING_THREADS + 64  # running and waiting
_HASH_SECONDS = 0.25  # at cost 12
_TOUCH_SECONDS = 60.0  # `last_used_at` of a key is no more exact than this


class Accounts:
    """Who somebody is, and how they prove it."""

    def __init__(
        self,
        db: Database,
        tokens: Tokens,
        connections: ConnectionRegistry,
        settings: Settings,
        clock: Callable[[], float],
        bcrypt_cost: int,
        measures: Metrics,
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._connections = connections
        self._settings = settings
        self._clock = clock
        self._cost = bcrypt_cost
        self._metrics = measures
        self._hashers = ThreadPoolExecutor(_HASHING_THREADS, thread_name_prefix="quillium-bcrypt")
        self._hashing = 0
        self._hashing_slots = asyncio.Semaphore(_HASHING_THREADS)
        self._failures = FailureLog(most=10, period=15 * 60)
        self._touched: dict[str, float] = {}
        self._background: set[asyncio.Task[Any]] = set()

    # Proving who one is

    def authenticate(self, credential: str) -> Caller:
        """The caller behind an access token or an API key, as they are now.

        Raises `InvalidToken` or `TokenExpired`.
        """
        if credential.startswith(KEY_PREFIX):
            return self._authenticate_key(credential)
        claims = self._tokens.read(credential, "access", self._clock())
        user = self._db.cached_read(sessions.user_of, claims.session_id, claims.user_id)
        if user is None:
            raise InvalidToken("The session has ended. Log in again.")
        return Caller(user, session_id=claims.session_id)

    def is_live(self, caller: Caller) -> bool:
        """Whether the session or key that a socket was opened with still lives."""
        if caller.session_id is not None:
            now = int(self._clock())
            return self._db.cached_read(
                sessions.is_live, caller.session_id, caller.user.row_id, now
            )
        assert caller.api_key_id is not None
        return self._db.cached_read(api_keys.exists, caller.api_key_id)

    def _authenticate_key(self, key: str) -> Caller:
        found = self._db.cached_read(api_keys.find_by_hash, _key_hash(key))
        if found is None:
            raise InvalidToken("This is not an API key of this server, or it was revoked.")
        api_key, user = found
        self._touch(api_key)
        return Caller(user, api_key_id=api_key.id)

    def _touch(self, api_key: ApiKey) -> None:
        now = self._clock()
        if now < self._touched.get(api_key.id, -math.inf) + _TOUCH_SECONDS:
            return
        self._touched[api_key.id] = now
        task = asyncio.ensure_future(self._db.write(api_keys.touch, api_key.id, rfc3339(now)))
        self._background.add(task)
        task.add_done_callback(self._touch_done)

    def _touch_done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # a time that could not be noted is no reason to refuse the caller

    # Sessions

    async def register(self, email: str, password: str, name: str | None) -> dict[str, Any]:
        """Make an account and its first session. Raises `RegistrationClosed`, `EmailTaken`."""
        if not self._settings.admin()["allow_registration"]:
            raise RegistrationClosed("The admin has closed registration.")
        if self._db.read(users.is_email_taken, email):
            raise EmailTaken(f"There is already an account for {email}.")
        password_hash = await self._hashed(passwords.hash_password, password, self._cost)
        now = self._clock()
        name = name or email.partition("@")[0][:100]

        def add(connection: Connection) -> tuple[User, dict[str, Any]]:
            user = users.add(connection, ids.new("user"), email, name, password_hash, rfc3339(now))
            return user, self._begin_session(connection, user, now)

        user, tokens = await self._db.write(add)
        return {"user": user.public(), **tokens}

    async def login(self, email: str, password: str) -> dict[str, Any]:
        """Begin a session. Raises `InvalidCredentials`, or `RateLimited` after 10 failures."""
        compared = await self._check_password(email, password)
        now = self._clock()

        def begin(connection: Connection) -> dict[str, Any]:
            found = users.for_login(connection, email)
            if found is None or found[1] != compared:  # changed while it was being compared
                raise InvalidCredentials()
            return self._begin_session(connection, found[0], now)

        tokens: dict[str, Any] = await self._db.write(begin)
        return tokens

    async def issue_session(self, user: User) -> dict[str, Any]:
        """Begin a session without a password, for whoever started this process; its tokens."""
        now = self._clock()
        tokens: dict[str, Any] = await self._db.write(self._begin_session, user, now)
        return tokens

    async def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Exchange a refresh token. Reuse is theft: the session ends (`InvalidToken`)."""
        now = self._clock()
        claims = self._tokens.read(refresh_token, "refresh", now)
        outcome = await self._db.write(
            sessions.rotate,
            claims.session_id,
            claims.user_id,
            claims.token_id,
            ids.random_text(22),
            int(now) + self._tokens.refresh_seconds,
            now,
            REFRESH_REUSE_GRACE_SECONDS,
        )
        if isinstance(outcome, sessions.Rotated):
            return self._tokens_of(outcome.user, claims.session_id, outcome.token_id, now)
        if outcome is sessions.Refused.REUSED:
            self._connections.end_session(claims.user_id, claims.session_id)
            raise InvalidToken("The token was used before, so its session was ended. Log in again.")
        raise InvalidToken("The session has ended. Log in again.")

    def caller_of_refresh_token(self, refresh_token: str) -> Caller | None:
        """Return the caller whose session a refresh token belongs to, None if it has ended.

        Raises `InvalidToken` or `TokenExpired`.
        """
        claims = self._tokens.read(refresh_token, "refresh", self._clock())
        user = self._db.cached_read(sessions.user_of, claims.session_id, claims.user_id)
        return Caller(user, session_id=claims.session_id) if user else None

    async def logout(self, caller: Caller, everywhere: bool) -> None:
        """End the caller's session, or all of the user's. Its tokens and sockets end with it."""
        user, session_id = caller.user, caller.session_id
        assert session_id is not None
        if everywhere:
            await self._db.write(
                sessions.delete_of_user,
                user.row_id,
                on_commit=lambda _: self._connections.end_other_sessions(user.id, None),
            )
        else:
            await self._db.write(
                sessions.delete,
                session_id,
                on_commit=lambda _: self._connections.end_session(user.id, session_id),
            )

    def _begin_session(self, connection: Connection, user: User, now: float) -> dict[str, Any]:
        session_id, token_id = ids.new("sess"), ids.random_text(22)
        expires_at = int(now) + self._tokens.refresh_seconds
        sessions.add(connection, session_id, user.row_id, token_id, expires_at)
        return self._tokens_of(user, session_id, token_id, now)

    def _tokens_of(self, user: User, session_id: str, token_id: str, now: float) -> dict[str, Any]:
        """The four fields of the reference's login."""
        tokens = self._tokens
        return {
            "access_token": tokens.access_token(user, session_id, ids.random_text(22), now),
            "refresh_token": tokens.refresh_token(user, session_id, token_id, now),
            "expires_in": tokens.access_seconds,
            "token_type": "Bearer",
        }

    # The user's own account

    async def update(self, caller: Caller, changes: dict[str, Any]) -> User:
        """Change name, e-mail address or password.

        The latter two need `current_password`; a new password ends all other sessions. Raises
        `InvalidCredentials`, `EmailTaken`, `RateLimited`.
        """
        user, password = caller.user, changes.get("password")
        if "email" in changes or password is not None:
            await self._check_password(user.email, changes["current_password"])
        password_hash = None
        if password is not None:
            password_hash = await self._hashed(passwords.hash_password, password, self._cost)
        now = rfc3339(self._clock())

        def change(connection: Connection) -> User:
            if password_hash is not None:
                sessions.delete_of_user(connection, user.row_id, but=caller.session_id)
            return users.update(
                connection,
                user.row_id,
                now,
                name=changes.get("name"),
                email=changes.get("email"),
                password_hash=password_hash,
            )

        def changed(updated: User) -> User:
            if password_hash is not None:
                self._connections.end_other_sessions(user.id, caller.session_id)
            return updated

        updated: User = await self._db.write(change, on_commit=changed)
        return updated

    async def create_api_key(self, user: User, name: str | None) -> dict[str, Any]:
        """Make a key; this answer is the only one that ever shows it."""
        key = KEY_PREFIX + ids.random_text(40)
        made: ApiKey = await self._db.write(
            api_keys.add,
            ids.new("key"),
            user.row_id,
            name or "API key",
            key[:10],
            _key_hash(key),
            rfc3339(self._clock()),
        )
        return {
            "id": made.id,
            "name": made.name,
            "api_key": key,
            "prefix": made.prefix,
            "created_at": made.created_at,
        }

    async def revoke_api_key(self, user: User, id: str) -> None:
        """Raises `NotFound`. The key's sockets close."""
        await self._db.write(
            api_keys.delete,
            id,
            user.row_id,
            on_commit=lambda _: self._connections.end_api_key(user.id, id),
        )
        self._touched.pop(id, None)

    # Passwords

    async def _check_password(self, email: str, password: str) -> str:
        """Raise unless it is the password of this address; an unknown one takes as long.

        Returns the hash that it was compared with.

        The failures are looked at again when the turn to hash has come: of many that wait
        together, no more than the allowed number is ever compared.
        """
        name = users.email_key(email)
        self._check_failures(name)
        found = self._db.read(users.for_login, email)
        password_hash = found[1] if found else passwords.unmatchable_hash(self._cost)
        correct = await self._hashed(
            passwords.matches, password, password_hash, first=lambda: self._check_failures(name)
        )
        if not correct or found is None:
            self._failures.note(name, self._clock())
            raise InvalidCredentials()
        self._failures.clear(name)
        return password_hash

    def _check_failures(self, name: str) -> None:
        seconds = self._failures.blocked_for(name, self._clock())
        if seconds:
            self._metrics.refused("logins")
            raise RateLimited(
                f"Too many failed logins for this address. Try again in {math.ceil(seconds)}"
                " seconds.",
                math.ceil(seconds),
            )

    async def _hashed(
        self, function: Callable[..., T], *arguments: Any, first: Callable[[], None] | None = None
    ) -> T:
        """Run bcrypt on one of two threads, after `first`. Raises `RateLimited` if 64 wait."""
        if self._hashing >= _MAX_HASHING:
            self._metrics.refused("logins")
            wait = self._hashing * _HASH_SECONDS / _HASHING_THREADS
            raise RateLimited("Too many passwords are being checked.", math.ceil(wait))
        self._hashing += 1
        try:
            async with self._hashing_slots:
                if first is not None:
                    first()
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._hashers, function, *arguments)
        finally:
            self._hashing -= 1

    async def close(self) -> None:
        """Let what was begun come to its end."""
        self._hashers.shutdown(wait=False, cancel_futures=True)
        await asyncio.gather(*self._background, return_exceptions=True)


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()
