"""What whoever runs the server does with accounts, by `quillium user …`.

Every change is one write, and what depends on it ends at once: sessions, sockets, replies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import schemas
from core import identity, ids, passwords
from core.errors import Conflict, InvalidRequest, NotFound
from core.records import User
from core.times import CalendarClock, rfc3339
from services.connections import ConnectionRegistry
from storage import sessions, users
from storage.connection import Connection
from storage.database import Database

OWNER = "owner@localhost"


class Administration:
    """The actions of `quillium user`.

    `forget_chat` is called with the id of each chat that is deleted with its owner, and
    `forget_failures` with the key of an account that was recovered: nothing that is kept in
    memory may lock out somebody whose password was reset.
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

    async def run(self, action: str, email: str = "", password: str = "") -> list[User]:
        """Do what `quillium user ACTION` asks for; the accounts that it is about.

        Raises `InvalidRequest`, `EmailTaken`, `NotFound`, `Conflict`, `StorageUnavailable`.
        """
        if action == "list":
            return self._db.read(users.every)
        if action == "add":
            return [await self.add(email, password)]
        if action == "passwd":
            return [await self._set_password(email, password)]
        if action == "promote":
            return [await self._change(email, users.promote)]
        if action == "delete":
            return [await self._delete(email)]
        raise InvalidRequest(f"action: {action} is not one")

    async def owner(self) -> User:
        """The account of whoever started a sidecar (contract, section 10); nobody can log in to it.

        It is made at the first start.
        """
        found = self._db.read(users.for_login, OWNER)
        return found[0] if found else await self.add(OWNER, ids.random_text(40), is_admin=True)

    async def add(self, email: str, password: str, *, is_admin: bool = False) -> User:
        """Make an account; the first one is an admin in any case."""
        accepted = schemas.accept("register", {"email": email, "password": password})
        identity.check_new_password(password, accepted["email"], "")
        hashed = await self._hashed(password)
        email = accepted["email"]

        id, now = ids.new("user"), rfc3339(self._clock())

        def make(connection: Connection) -> User:
            user = users.add(connection, id, email, email.partition("@")[0][:100], hashed, now)
            return users.promote(connection, user.row_id, now) if is_admin else user

        made: User = await self._db.write(make)
        return made

    async def _set_password(self, email: str, password: str) -> User:
        user = self._db.read(_found, email)
        schemas.accept("user_update", {"password": password, "current_password": ""})
        identity.check_new_password(password, user.email, user.name)
        hashed = await self._hashed(password)

        def change(connection: Connection, number: int, now: str) -> User:
            sessions.delete_of_user(connection, number)
            return users.update(
                connection, number, now, name=None, email=None, password_hash=hashed
            )

        user = await self._change(email, change)
        self._connections.end_other_sessions(user.id, None)
        self._forget_failures(users.email_key(user.email))
        return user

    async def _delete(self, email: str) -> User:
        def delete(connection: Connection) -> tuple[User, list[str]]:
            user = _found(connection, email)
            others = [other for other in users.every(connection) if other.id != user.id]
            if user.is_admin and others and not any(other.is_admin for other in others):
                raise Conflict(f"{user.email} is the only admin. Promote somebody else first.")
            return user, users.delete(connection, user.row_id)

        user, chat_ids = await self._db.write(delete)
        for chat_id in chat_ids:
            self._forget_chat(chat_id)
        self._connections.end_user(user.id)
        self._forget_failures(users.email_key(user.email))
        deleted: User = user
        return deleted

    async def _change(self, email: str, change: Callable[[Connection, int, str], User]) -> User:
        now = rfc3339(self._clock())

        def apply(connection: Connection) -> User:
            return change(connection, _found(connection, email).row_id, now)

        changed: User = await self._db.write(apply)
        return changed

    async def _hashed(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, passwords.hash_password, password, self._cost)


def _found(connection: Connection, email: str) -> User:
    found = users.for_login(connection, email.strip())
    if found is None:
        raise NotFound(f"account as {email}")
    return found[0]
