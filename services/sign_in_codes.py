"""One-use sign-in codes, sent as links when a password is lost (contract, section 4)."""

from __future__ import annotations

import hashlib
from typing import Any

from core import ids
from core.errors import InvalidToken, TokenExpired
from core.records import Client, User
from core.times import CalendarClock, CalendarTime
from services import security_log
from services.sessions import Sessions
from storage import sign_in_codes
from storage.connection import Connection
from storage.database import Database

CODE_SECONDS = 10 * 60
_CODE_CHARACTERS = 22  # 131 random bits


async def issue(db: Database, now: CalendarTime, user: User) -> str:
    """Create and return a code that is valid once, for 10 minutes."""
    code = ids.random_text(_CODE_CHARACTERS)
    await db.write(sign_in_codes.add, _hash(code), user.row_id, int(now) + CODE_SECONDS)
    return code


class SignInCodes:
    """Exchanges one-use codes for sessions."""

    def __init__(self, db: Database, sessions: Sessions, clock: CalendarClock) -> None:
        self._db = db
        self._sessions = sessions
        self._clock = clock

    async def exchange(self, code: str, client: Client) -> dict[str, Any]:
        """Begin a session and return its tokens.

        The session may set a password without the current one until it is first refreshed.
        Raises `InvalidToken` or `TokenExpired`.
        """
        now, start = self._clock(), self._sessions.prepare(client, may_set_password=True)

        def take(connection: Connection) -> tuple[User, bool] | None:
            found = sign_in_codes.take(connection, _hash(code))
            if found is None:
                return None
            user, expires_at = found
            is_good = now < expires_at and not user.is_disabled
            if is_good:
                start.store(connection, user)
            return user, is_good

        taken = await self._db.write(take)
        if taken is None:
            raise InvalidToken("This sign-in code is not valid or was already used.")
        user, is_good = taken
        if user.is_disabled:
            raise InvalidToken("The account is disabled.")
        if not is_good:
            raise TokenExpired("The sign-in code has expired. Ask for a new one.")
        security_log.record("code_used", client, user.id)
        return start.issue(user)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8")).hexdigest()
