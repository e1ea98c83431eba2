"""Accounts: register, log in, update, delete (contract, sections 4 and 5).

A caller's permissions are read from the database for each request, so a revoked permission is
ineffective at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from core import identity, ids, passwords
from core.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidRequest,
    InvalidToken,
    NotFound,
)
from core.metrics import Metrics
from core.records import UNKNOWN_CLIENT, Caller, Client, User
from core.times import CalendarClock, rfc3339
from services import security_log
from services.api_keys import KEY_PREFIX, ApiKeys
from services.connections import ConnectionRegistry
from services.hashing import HashingQueue
from services.login_guard import Attempt, LoginGuard
from services.registration import Registration
from services.sessions import Sessions
from storage import sessions, users
from storage.connection import Connection
from storage.database import Database


class Accounts:
    """Authentication and accounts. Calls `forget_chat` for each deleted chat."""

    def __init__(
        self,
        db: Database,
        user_sessions: Sessions,
        api_keys: ApiKeys,
        connections: ConnectionRegistry,
        registration: Registration,
        clock: CalendarClock,
        guard: LoginGuard,
        bcrypt_cost: int,
        metrics: Metrics,
        forget_chat: Callable[[str], None],
    ) -> None:
        self._db = db
        self._sessions = user_sessions
        self._api_keys = api_keys
        self._connections = connections
        self._registration = registration
        self._clock = clock
        self._cost = bcrypt_cost
        self._hashing = HashingQueue(metrics)
        self._forget_chat = forget_chat
        self.guard = guard

    def authenticate(self, credential: str, client: Client = UNKNOWN_CLIENT) -> Caller:
        """Return the caller of an access token or API key, with their current permissions.

        Raises `InvalidToken` or `TokenExpired`.
        """
        if credential.startswith(KEY_PREFIX):
            return self._api_keys.authenticate(credential, client)
        return self._sessions.authenticate(credential)

    def is_live(self, caller: Caller) -> bool:
        """Return whether the session or key that a socket was opened with is still valid."""
        if caller.session_id is not None:
            return self._sessions.is_live(caller.session_id, caller.user)
        assert caller.api_key_id is not None
        return self._api_keys.is_live(caller.api_key_id)

    # Sessions

    async def register(
        self,
        email: str,
        password: str,
        name: str | None,
        client: Client,
        setup_code: str | None = None,
    ) -> dict[str, Any]:
        """Create an account and its first session.

        Raises `RegistrationClosed`, `Forbidden` without the setup code where one is needed,
        `EmailTaken` and `InvalidRequest`.
        """
        self._registration.check(setup_code)
        name = name or email.partition("@")[0][:100]
        identity.check_new_password(password, email, name)
        if self._db.read(users.is_email_taken, email):
            raise EmailTaken(f"There is already an account for {email}.")
        password_hash = await self._hash(client.network, password)
        id, now, start = ids.new("user"), rfc3339(self._clock()), self._sessions.prepare(client)

        def add(connection: Connection) -> User:
            user = users.add(connection, id, email, name, password_hash, now)
            start.store(connection, user)
            return user

        user = await self._db.write(add)
        security_log.record("registered", client, user.id)
        return {"user": user.public(), **start.issue(user)}

    async def login(
        self, email: str, password: str, client: Client, caller: Caller | None = None
    ) -> dict[str, Any]:
        """Begin a session. Raises `InvalidCredentials`, or `RateLimited` after 10 failures."""
        attempt = self._attempt(email, client, caller)
        compared = await self._check_password(attempt, email, password, client)
        rehashed = compared
        if passwords.cost_of(compared) < self._cost:  # the bcrypt cost was raised since
            rehashed = await self._hash(client.network, password)
        start = self._sessions.prepare(client)

        def begin(connection: Connection) -> User:
            found = users.for_login(connection, email)
            if found is None or found[1] != compared:  # changed during the comparison
                raise InvalidCredentials()
            if found[0].is_disabled:
                raise InvalidToken("The account is disabled.")
            users.replace_hash(connection, found[0].row_id, compared, rehashed)
            start.store(connection, found[0])
            return found[0]

        user = await self._db.write(begin)
        security_log.record("login", client, user.id)
        return start.issue(user)

    async def issue_session(self, user: User) -> dict[str, Any]:
        """Begin a session without a password, for the process owner; return its tokens."""
        return await self._sessions.issue(user, UNKNOWN_CLIENT)

    async def refresh(self, refresh_token: str, client: Client) -> dict[str, Any]:
        """Exchange a refresh token for new tokens; see `Sessions.refresh`."""
        return await self._sessions.refresh(refresh_token, client)

    def caller_of_refresh_token(self, refresh_token: str) -> Caller | None:
        """Return the caller of a refresh token's session, or None if the session has ended.

        Raises `InvalidToken` or `TokenExpired`.
        """
        return self._sessions.caller_of_refresh_token(refresh_token)

    async def logout(
        self, caller: Caller, client: Client, *, everywhere: bool, with_api_keys: bool
    ) -> None:
        """End the caller's session or all of the user's, and revoke all API keys if asked to.

        Tokens become invalid and sockets close immediately.
        """
        assert caller.session_id is not None
        if with_api_keys:
            await self._api_keys.revoke_all(caller.user, client)
        if everywhere:
            await self._sessions.revoke_all(caller.user, client)
            return
        with suppress(NotFound):  # two requests may end the same session concurrently
            await self._sessions.revoke(caller.user, caller.session_id, client)

    # The user's own account

    async def update(self, caller: Caller, changes: dict[str, Any], client: Client) -> User:
        """Update name, e-mail address or password.

        The latter two require `current_password`; a new password ends all other sessions. Raises
        `InvalidRequest`, `InvalidCredentials`, `EmailTaken`, `RateLimited`.
        """
        user, password = caller.user, changes.get("password")
        if password is not None:
            own = (changes.get("email", user.email), changes.get("name", user.name))
            identity.check_new_password(password, *own)
        secured = [field for field in ("email", "password") if changes.get(field) is not None]
        if secured:
            given = changes.get("current_password")
            await self._check_current_password(caller, given, f"change {secured[-1]}", client)
        password_hash = None
        if password is not None:
            password_hash = await self._hash(client.network, password)
        now = rfc3339(self._clock())

        def change(connection: Connection) -> User:
            if password_hash is not None and caller.session_id is not None:
                sessions.delete_of_user(connection, user.row_id, but=caller.session_id)
                sessions.end_password_setting(connection, caller.session_id)
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

        updated = await self._db.write(change, on_commit=changed)
        for field in secured:
            security_log.record(f"{field}_changed", client, user.id)
        return updated

    async def delete(self, caller: Caller, current_password: str | None, client: Client) -> None:
        """Delete the caller's account with everything in it.

        Raises `InvalidCredentials`, `RateLimited`, and `Conflict` for the last admin while there
        are other accounts.
        """
        user = caller.user
        await self._check_current_password(caller, current_password, "delete the account", client)

        def deleted(chat_ids: list[str]) -> None:
            for chat_id in chat_ids:
                self._forget_chat(chat_id)
            self._connections.end_user(user.id)
            self.guard.clear(users.email_key(user.email))

        await self._db.write(users.delete_unless_last_admin, user.row_id, on_commit=deleted)
        security_log.record("account_deleted", client, user.id)

    # Passwords

    def _attempt(self, email: str, client: Client, caller: Caller | None) -> Attempt:
        """Describe a login attempt. A caller with a session of the account counts separately."""
        key = users.email_key(email)
        is_own = caller is not None and users.email_key(caller.user.email) == key
        session_id = caller.session_id if caller is not None and is_own else None
        return Attempt(key, client.network, session_id)

    async def _check_current_password(
        self, caller: Caller, given: str | None, purpose: str, client: Client
    ) -> None:
        """Raise unless the password is correct, or the session may set one without it.

        A session that a sign-in code started needs no password until its first refresh, so that
        users can replace a forgotten password.
        """
        email, session_id = caller.user.email, caller.session_id
        may_set = session_id is not None and self._db.read(sessions.may_set_password, session_id)
        if not given and may_set:
            return
        if given is None:
            raise InvalidRequest(f"current_password: is required to {purpose}")
        await self._check_password(self._attempt(email, client, caller), email, given, client)

    async def _check_password(
        self, attempt: Attempt, email: str, password: str, client: Client
    ) -> str:
        """Raise unless the password belongs to this address; return the matching hash.

        An unknown address takes as long as a known one. Failures are checked again when the
        attempt reaches the front of the hashing queue, so that concurrent attempts can't exceed
        the limit.
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
            user_id = found[0].id if found else None
            security_log.record("login_failed", client, user_id)
            if self.guard.is_blocked(attempt):
                security_log.record("lockout", client, user_id)
            raise InvalidCredentials()
        self.guard.succeeded(attempt)
        return password_hash

    def _unmatchable_hash(self) -> str:
        """Return a hash with the lowest stored bcrypt cost, for unknown addresses."""
        cost = self._db.cached_read(users.lowest_cost)
        return passwords.unmatchable_hash(self._cost if cost is None else cost)

    async def _hash(self, address: str, password: str) -> str:
        return await self._hashing.run(address, passwords.hash_password, password, self._cost)

    async def close(self) -> None:
        """Finish background tasks."""
        self._hashing.close()
        await self._sessions.close()
        await self._api_keys.close()
