"""User administration, for the owner's commands and for admins over the API (contract, section 4).

Every change is one write. Affected sessions, sockets and replies end at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import schemas
from core import identity, ids, passwords
from core.errors import InvalidRequest, NotFound
from core.records import UNKNOWN_CLIENT, Client, ManagedUser, Page, User
from core.times import CalendarClock, rfc3339
from services import security_log
from services import sign_in_codes as codes
from services.connections import ConnectionRegistry
from storage import api_keys, sessions, sign_in_codes, users
from storage.connection import Connection
from storage.database import Database

OWNER = "owner@localhost"
COMMAND = UNKNOWN_CLIENT  # commands have no client address


class Administration:
    """Manage accounts on behalf of admins and of the server's owner.

    Calls `forget_chat` with the id of each chat that is deleted with its owner, and
    `forget_failures` with the key of each recovered account, so that earlier failed logins don't
    lock out a user whose password was reset.
    """

    def __init__(
        self,
        db: Database,
        connections: ConnectionRegistry,
        forget_chat: Callable[[str], None],
        forget_failures: Callable[[str], None],
        clock: CalendarClock,
        bcrypt_cost: int,
    ) -> None:
        self._db = db
        self._connections = connections
        self._forget_chat = forget_chat
        self._forget_failures = forget_failures
        self._clock = clock
        self._cost = bcrypt_cost

    async def run(self, action: str, email: str = "", password: str = "") -> dict[str, Any]:
        """Run an action of `_ACTIONS` for the owner of the machine.

        Return the affected accounts, and the sign-in code for `link`. Raises
        `InvalidRequest`, `EmailTaken`, `NotFound`, `Conflict`, `StorageUnavailable`.
        """
        if action == "list":
            return {"users": [user.public() for user in self._db.read(users.every)]}
        if action == "add":
            return {"users": [(await self.add(email, password)).public()]}
        if action not in _ACTIONS:
            raise InvalidRequest(f"action: unknown action {action}")
        user = self._db.read(_by_email, email)
        answer: dict[str, Any] = {}
        if action == "passwd":
            await self._set_password(user, password)
        elif action == "delete":
            await self.delete(user, COMMAND, even_if_last_admin=True)
        elif action == "revoke":
            await self.revoke(user, COMMAND)
        elif action == "link":
            answer["code"] = await self.link(user, COMMAND)
        else:
            user = (await self.change(user, _CHANGES[action], COMMAND)).user
        return {"users": [user.public()], **answer}

    async def owner(self) -> User:
        """Return the account of the owner of a sidecar (contract, section 10).

        It is created at the first start and has no password.
        """
        found = self._db.read(users.for_login, OWNER)
        return found[0] if found else await self.add(OWNER, None, is_admin=True)

    def find(self, id: str) -> User:
        """Return the account with this id. Raises `NotFound`."""
        return self._db.read(_by_id, id)

    async def page(self, query: str, limit: int, offset: int) -> Page[ManagedUser]:
        """Return a page of accounts whose address or name contains `query`."""
        return await self._db.read_in_pool(users.managed_page, query, limit, offset)

    async def add(
        self,
        email: str,
        password: str | None,
        name: str | None = None,
        *,
        is_admin: bool = False,
        client: Client = COMMAND,
    ) -> User:
        """Create an account; the first account is always an admin.

        Without a password, the account's owner signs in with a code.
        """
        body = {"email": email, "password": ids.random_text(40) if password is None else password}
        email = schemas.accept("register", body)["email"]
        name = name or email.partition("@")[0][:100]
        if password is None:
            hashed = passwords.unmatchable_hash(self._cost)
        else:
            identity.check_new_password(password, email, name)
            hashed = await self._hashed(password)
        id, now = ids.new("user"), rfc3339(self._clock())

        def make(connection: Connection) -> User:
            user = users.add(connection, id, email, name, hashed, now)
            return users.administer(connection, user.row_id, now, is_admin=is_admin or None)

        user = await self._db.write(
            make, on_commit=lambda made: self._forget_failures(users.email_key(made.email))
        )
        security_log.record("account_created", client, user.id)
        return user

    async def create(self, email: str, name: str | None, is_admin: bool, client: Client) -> User:
        """Create an account whose owner signs in with a code. Raises `EmailTaken`."""
        return await self.add(email, None, name, is_admin=is_admin, client=client)

    async def change(self, user: User, changes: dict[str, Any], client: Client) -> ManagedUser:
        """Update name, `is_admin` or `is_disabled`. Raises `Conflict` if no admin would be left.

        Losing admin rights closes the user's sockets; disabling also ends their sessions.
        """
        now = rfc3339(self._clock())
        is_disabling = bool(changes.get("is_disabled"))

        def apply(connection: Connection) -> ManagedUser:
            changed = users.administer(connection, user.row_id, now, **changes)
            if is_disabling:
                sessions.delete_of_user(connection, user.row_id)
                sign_in_codes.delete_of_user(connection, user.row_id)
            return users.managed(connection, changed.row_id)

        def applied(managed: ManagedUser) -> None:
            self._forget_failures(users.email_key(user.email))
            if is_disabling or changes.get("is_admin") is False:
                self._connections.end_user(user.id)

        managed = await self._db.write(apply, on_commit=applied)
        for field, event in _EVENTS.items():
            if changes.get(field) not in (None, getattr(user, field)):
                security_log.record(event[bool(changes[field])], client, user.id)
        return managed

    async def delete(self, user: User, client: Client, *, even_if_last_admin: bool = False) -> None:
        """Delete an account with everything in it. Raises `Conflict` for the last admin."""

        def delete(connection: Connection) -> list[str]:
            if not even_if_last_admin:
                users.check_not_last_admin(connection, user.row_id)
            return users.delete_unless_last_admin(connection, user.row_id)

        def deleted(chat_ids: list[str]) -> None:
            for chat_id in chat_ids:
                self._forget_chat(chat_id)
            self._connections.end_user(user.id)
            self._forget_failures(users.email_key(user.email))

        await self._db.write(delete, on_commit=deleted)
        security_log.record("account_deleted", client, user.id)

    async def link(self, user: User, client: Client) -> str:
        """Create and return a one-use sign-in code, and clear the account's failed logins."""
        code = await codes.issue(self._db, self._clock(), user)
        self._forget_failures(users.email_key(user.email))
        security_log.record("code_issued", client, user.id)
        return code

    async def revoke(self, user: User, client: Client) -> None:
        """End all sessions of an account, and revoke its API keys and sign-in codes."""

        def revoke(connection: Connection) -> None:
            sessions.delete_of_user(connection, user.row_id)
            api_keys.delete_of_user(connection, user.row_id)
            sign_in_codes.delete_of_user(connection, user.row_id)

        await self._db.write(revoke, on_commit=lambda _: self._connections.end_user(user.id))
        self._forget_failures(users.email_key(user.email))
        security_log.record("access_revoked", client, user.id)

    async def _set_password(self, user: User, password: str) -> None:
        # Validates the new password; the current one is not required here.
        schemas.accept("user_update", {"password": password, "current_password": ""})
        identity.check_new_password(password, user.email, user.name)
        hashed, now = await self._hashed(password), rfc3339(self._clock())

        def change(connection: Connection) -> None:
            sessions.delete_of_user(connection, user.row_id)
            users.update(connection, user.row_id, now, name=None, email=None, password_hash=hashed)

        def changed(_: None) -> None:
            self._connections.end_other_sessions(user.id, None)
            self._forget_failures(users.email_key(user.email))

        await self._db.write(change, on_commit=changed)
        security_log.record("password_changed", COMMAND, user.id)

    async def _hashed(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, passwords.hash_password, password, self._cost)


_CHANGES: dict[str, dict[str, Any]] = {
    "promote": {"is_admin": True},
    "demote": {"is_admin": False},
    "disable": {"is_disabled": True},
    "enable": {"is_disabled": False},
}
_ACTIONS = {"passwd", "delete", "revoke", "link", *_CHANGES}
_EVENTS = {
    "is_admin": ("admin_demoted", "admin_promoted"),
    "is_disabled": ("account_enabled", "account_disabled"),
}


def _by_email(connection: Connection, email: str) -> User:
    found = users.for_login(connection, email.strip())
    if found is None:
        raise NotFound(f"account as {email}")
    return found[0]


def _by_id(connection: Connection, id: str) -> User:
    found = users.find(connection, id)
    if found is None:
        raise NotFound("user")
    return found
