"""Accounts and API keys (contract, section 4).

The promise: what a caller may do is read from the database for each request, so a right that was
withdrawn a moment ago is gone.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import Any

from core import identity, ids, passwords
from core.errors import EmailTaken, InvalidCredentials, InvalidToken, NotFound, RegistrationClosed
from core.metrics import Metrics
from core.records import ApiKey, Caller, Client, User
from core.times import CalendarClock, MonotonicClock, MonotonicTime, rfc3339
from services.connections import ConnectionRegistry
from services.hashing import HashingQueue
from services.login_guard import Attempt, LoginGuard
from services.sessions import Sessions
from services.settings import Settings
from storage import api_keys, sessions, users
from storage.connection import Connection
from storage.database import Database

KEY_PREFIX = "qk_"
_TOUCH_SECONDS = 60.0  # the precision of an API key's `last_used_at`


class Accounts:
    """Who a caller is, and how they prove it."""

    def __init__(
        self,
        db: Database,
        user_sessions: Sessions,
        connections: ConnectionRegistry,
        settings: Settings,
        clock: CalendarClock,
        monotonic: MonotonicClock,
        bcrypt_cost: int,
        metrics: Metrics,
    ) -> None:
        self._db = db
        self._sessions = user_sessions
        self._connections = connections
        self._settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._cost = bcrypt_cost
        self._hashing = HashingQueue(metrics)
        self.guard = LoginGuard(metrics, monotonic)
        self._touched: dict[str, MonotonicTime] = {}
        self._background: set[asyncio.Task[Any]] = set()

    # Authentication

    def authenticate(self, credential: str) -> Caller:
        """Return the caller behind an access token or an API key, as they are now.

        Raises `InvalidToken` or `TokenExpired`.
        """
        if credential.startswith(KEY_PREFIX):
            return self._authenticate_key(credential)
        return self._sessions.authenticate(credential)

    def is_live(self, caller: Caller) -> bool:
        """Whether the session or key that a socket was opened with is still valid."""
        if caller.session_id is not None:
            return self._sessions.is_live(caller.session_id, caller.user)
        assert caller.api_key_id is not None
        return self._db.cached_read(api_keys.exists, caller.api_key_id)

    def _authenticate_key(self, key: str) -> Caller:
        found = self._db.cached_read(api_keys.find_by_hash, _key_hash(key))
        if found is None:
            raise InvalidToken("This is not an API key of this server, or it was revoked.")
        api_key, user = found
        if user.is_disabled:
            raise InvalidToken("The account is disabled.")
        self._touch(api_key)
        return Caller(user, api_key_id=api_key.id)

    def _touch(self, api_key: ApiKey) -> None:
        now, touched = self._monotonic(), self._touched.get(api_key.id)
        if touched is not None and now < touched + _TOUCH_SECONDS:
            return
        self._touched[api_key.id] = now
        used_at = rfc3339(self._clock())
        task = asyncio.ensure_future(self._db.write(api_keys.touch, api_key.id, used_at))
        self._background.add(task)
        task.add_done_callback(self._touch_done)

    def _touch_done(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()  # a time that could not be stored is no reason to refuse the caller

    # Sessions

    async def register(
        self, email: str, password: str, name: str | None, client: Client
    ) -> dict[str, Any]:
        """Create an account and its first session. Raises `RegistrationClosed`, `EmailTaken`."""
        if not self._settings.admin()["allow_registration"]:
            raise RegistrationClosed("The admin has closed registration.")
        name = name or email.partition("@")[0][:100]
        identity.check_new_password(password, email, name)
        if self._db.read(users.is_email_taken, email):
            raise EmailTaken(f"There is already an account for {email}.")
        password_hash = await self._hash(client.address, password)
        id, now, start = ids.new("user"), rfc3339(self._clock()), self._sessions.prepare(client)

        def add(connection: Connection) -> User:
            user = users.add(connection, id, email, name, password_hash, now)
            start.store(connection, user)
            return user

        user = await self._db.write(add)
        return {"user": user.public(), **start.issue(user)}

    async def login(
        self, email: str, password: str, client: Client, caller: Caller | None = None
    ) -> dict[str, Any]:
        """Begin a session. Raises `InvalidCredentials`, or `RateLimited` after 10 failures."""
        attempt = self._attempt(email, client, caller)
        compared = await self._check_password(attempt, email, password)
        rehashed = compared
        if passwords.cost_of(compared) < self._cost:  # the cost was raised since it was stored
            rehashed = await self._hash(client.address, password)
        start = self._sessions.prepare(client)

        def begin(connection: Connection) -> User:
            found = users.for_login(connection, email)
            if found is None or found[1] != compared:  # changed while it was compared
                raise InvalidCredentials()
            users.replace_hash(connection, found[0].row_id, compared, rehashed)
            start.store(connection, found[0])
            return found[0]

        return start.issue(await self._db.write(begin))

    async def issue_session(self, user: User) -> dict[str, Any]:
        """Begin a session without a password, for the owner of this process; its tokens."""
        return await self._sessions.issue(user, Client())

    async def refresh(self, refresh_token: str, client: Client) -> dict[str, Any]:
        """Exchange a refresh token; see `Sessions.refresh`."""
        return await self._sessions.refresh(refresh_token, client)

    def caller_of_refresh_token(self, refresh_token: str) -> Caller | None:
        """Return the caller whose session a refresh token belongs to, None if it has ended.

        Raises `InvalidToken` or `TokenExpired`.
        """
        return self._sessions.caller_of_refresh_token(refresh_token)

    async def logout(self, caller: Caller, everywhere: bool) -> None:
        """End the caller's session, or all of the user's. Its tokens and sockets end with it."""
        assert caller.session_id is not None
        if everywhere:
            await self._sessions.revoke_all(caller.user)
            return
        with suppress(NotFound):  # two requests may end it at the same time
            await self._sessions.revoke(caller.user, caller.session_id)

    # The user's own account

    async def update(self, caller: Caller, changes: dict[str, Any], client: Client) -> User:
        """Change name, e-mail address or password.

        The latter two need `current_password`; a new password ends all other sessions. Raises
        `InvalidCredentials`, `EmailTaken`, `RateLimited`.
        """
        user, password = caller.user, changes.get("password")
        if password is not None:
            own = (changes.get("email", user.email), changes.get("name", user.name))
            identity.check_new_password(password, *own)
        if "email" in changes or password is not None:
            attempt = self._attempt(user.email, client, caller)
            await self._check_password(attempt, user.email, changes["current_password"])
        password_hash = None
        if password is not None:
            password_hash = await self._hash(client.address, password)
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

        def changed(updated: User) -> None:
            if password_hash is not None:
                self._connections.end_other_sessions(user.id, caller.session_id)
                self.guard.clear(users.email_key(updated.email))

        return await self._db.write(change, on_commit=changed)

    async def create_api_key(self, user: User, name: str | None) -> dict[str, Any]:
        """Create a key; this response is the only one that ever shows it."""
        key = KEY_PREFIX + ids.random_text(40)
        made = await self._db.write(
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

    def _attempt(self, email: str, client: Client, caller: Caller | None) -> Attempt:
        """Describe an attempt; a caller with a session of the account is counted apart."""
        key = users.email_key(email)
        is_own = caller is not None and users.email_key(caller.user.email) == key
        session_id = caller.session_id if caller is not None and is_own else None
        return Attempt(key, client.address, session_id)

    async def _check_password(self, attempt: Attempt, email: str, password: str) -> str:
        """Raise unless it is the password of this address; return the hash that it matched.

        An unknown address takes as long as a known one. The failures are looked at again when the
        turn to hash has come: of many attempts that wait together, no more than the allowed
        number is compared.
        """
        self.guard.check(attempt)
        await self.guard.wait_turn(attempt)
        found = self._db.read(users.for_login, email)
        password_hash = found[1] if found else self._unmatchable_hash()
        correct = await self._hashing.run(
            attempt.client_address,
            passwords.matches,
            password,
            password_hash,
            before=lambda: self.guard.check(attempt),
        )
        if not correct or found is None:
            self.guard.failed(attempt)
            raise InvalidCredentials()
        self.guard.succeeded(attempt)
        return password_hash

    def _unmatchable_hash(self) -> str:
        """Return a hash that takes as long to compare as that of the oldest password."""
        cost = self._db.cached_read(users.lowest_cost)
        return passwords.unmatchable_hash(self._cost if cost is None else cost)

    async def _hash(self, address: str, password: str) -> str:
        return await self._hashing.run(address, passwords.hash_password, password, self._cost)

    async def close(self) -> None:
        """Finish what was begun in the background."""
        self._hashing.close()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._sessions.close()


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8")).hexdigest()
