"""Sessions: issue, exchange and revoke tokens (contract, section 4).

A lost response, a crash or a suspended laptop never ends a session. A stolen refresh token is
detected once both the thief and the owner have used their tokens.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from core import ids
from core.errors import InvalidToken, NotFound
from core.records import Caller, Client, Page, Session, User
from core.times import CalendarClock, CalendarTime, MonotonicClock, MonotonicTime, rfc3339
from core.tokens import Claims, Tokens
from services import security_log
from services.connections import ConnectionRegistry
from storage import sessions
from storage.connection import Connection
from storage.database import Database

REFRESH_REUSE_GRACE_SECONDS = 10.0  # two tabs may refresh at about the same time
_SWEEP_SECONDS = 60 * 60
_ENDED = "The session has ended. Log in again."


class SessionStart:
    """A session to begin. Its ids are generated before the write that stores it."""

    def __init__(
        self,
        tokens: Tokens,
        now: CalendarTime,
        max_seconds: int,
        client: Client,
        may_set_password: bool,
    ) -> None:
        self._tokens = tokens
        self._now = now
        ends_at = int(now) + max_seconds
        self._session = sessions.NewSession(
            id=ids.new("sess"),
            token_id=ids.random_text(22),
            created_at=rfc3339(now),
            expires_at=min(int(now) + tokens.refresh_seconds, ends_at),
            ends_at=ends_at,
            client=client,
            may_set_password=may_set_password,
        )

    def store(self, connection: Connection, user: User) -> None:
        """Store the session. Call this within a write."""
        sessions.add(connection, user.row_id, self._session)

    def issue(self, user: User) -> dict[str, Any]:
        """Return the stored session's tokens, in the four fields of the reference's login."""
        made = self._session
        return _issue(self._tokens, user, made.id, made.token_id, self._now, made.expires_at)


class Sessions:
    """The sessions of all users."""

    def __init__(
        self,
        db: Database,
        tokens: Tokens,
        connections: ConnectionRegistry,
        clock: CalendarClock,
        monotonic: MonotonicClock,
        max_seconds: int,
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._max_seconds = max_seconds  # maximum lifetime of a session
        self._connections = connections
        self._clock = clock
        self._monotonic = monotonic
        self._grace = _Grace(monotonic)
        self._noting: set[str] = set()  # pairs whose first use is currently being stored
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def authenticate(self, access_token: str) -> Caller:
        """Return the caller of an access token. Raises `InvalidToken` or `TokenExpired`."""
        claims = self._tokens.read(access_token, "access", self._clock())
        pair = self._db.cached_read(
            sessions.find, claims.session_id, claims.user_id, claims.pair_id
        )
        if pair is None:
            raise InvalidToken(_ENDED)
        if pair.user.is_disabled:
            raise InvalidToken("The account is disabled.")
        if not pair.is_used and claims.pair_id == pair.token_id:
            self._note_use(claims.session_id, pair)
        return Caller(pair.user, session_id=claims.session_id)

    def caller_of_refresh_token(self, refresh_token: str) -> Caller | None:
        """Return the caller of a refresh token's session; None if the session has ended.

        Raises `InvalidToken` or `TokenExpired`.
        """
        claims = self._tokens.read(refresh_token, "refresh", self._clock())
        pair = self._db.cached_read(
            sessions.find, claims.session_id, claims.user_id, claims.token_id
        )
        return Caller(pair.user, session_id=claims.session_id) if pair else None

    def is_live(self, session_id: str, user: User) -> bool:
        """Return whether a session has neither ended nor expired."""
        now = int(self._clock())
        return self._db.cached_read(sessions.is_live, session_id, user.row_id, now)

    async def issue(self, user: User, client: Client) -> dict[str, Any]:
        """Begin a session and return its tokens."""
        start = self.prepare(client)
        await self._db.write(start.store, user)
        return start.issue(user)

    def prepare(self, client: Client, *, may_set_password: bool = False) -> SessionStart:
        """Prepare a session that is stored as part of a larger write."""
        now, longest = self._clock(), self._max_seconds
        return SessionStart(self._tokens, now, longest, client, may_set_password)

    async def refresh(self, refresh_token: str, client: Client) -> dict[str, Any]:
        """Exchange a refresh token for new tokens (contract, section 4).

        A token can be exchanged again until one of the new tokens is used, and for 10 s after the
        exchange. Later reuse is treated as theft and ends the session. Raises `InvalidToken` and
        `TokenExpired`.
        """
        claims = self._tokens.read(refresh_token, "refresh", self._clock())
        while True:
            outcome = await self._rotate(claims, client)
            if isinstance(outcome, dict):
                return outcome
            pair, is_in_grace = outcome
            if is_in_grace:
                return self._tokens_of(claims, pair.user, pair.token_id, pair.expires_at)
            if pair.is_used or pair.previous_token_id != claims.token_id:
                await self._end_stolen(claims, pair.user, client)
            tokens = await self._replace_unused(claims, pair)
            if tokens is not None:
                return tokens

    async def _rotate(
        self, claims: Claims, client: Client
    ) -> dict[str, Any] | tuple[sessions.Pair, bool]:
        """Exchange a current refresh token.

        For a past one, return the current pair, and whether the token is in its grace period.
        """
        next_id, now = ids.random_text(22), self._clock()
        is_in_grace = False

        def rotated(outcome: sessions.Rotated | sessions.Pair | None) -> None:
            nonlocal is_in_grace
            if isinstance(outcome, sessions.Pair):
                # In commit order: once this request resumes, another one may have begun the grace
                # period by replacing the pair, whose tokens are then void.
                is_in_grace = self._grace.covers(claims.token_id, outcome)
            elif outcome is not None:
                self._grace.begin(claims.token_id)
                if not outcome.before.is_used:
                    self._grace.begin(outcome.before.previous_token_id)

        outcome = await self._db.write(
            sessions.rotate,
            claims.session_id,
            claims.user_id,
            claims.token_id,
            next_id,
            rfc3339(now),
            int(now) + self._tokens.refresh_seconds,
            client,
            on_commit=rotated,
        )
        if isinstance(outcome, sessions.Pair):
            return outcome, is_in_grace
        if outcome is None:
            raise InvalidToken(_ENDED)
        return self._tokens_of(claims, outcome.before.user, next_id, outcome.expires_at)

    async def _replace_unused(self, claims: Claims, pair: sessions.Pair) -> dict[str, Any] | None:
        """Replace a pair whose response was lost; None if a concurrent request was faster."""
        next_id = ids.random_text(22)

        def replaced(expires_at: int | None) -> None:
            if expires_at is not None:
                self._grace.begin(claims.token_id)

        expires_at = await self._db.write(
            sessions.replace_unused,
            claims.session_id,
            pair.token_id,
            next_id,
            int(self._clock()) + self._tokens.refresh_seconds,
            on_commit=replaced,
        )
        if expires_at is None:
            return None
        return self._tokens_of(claims, pair.user, next_id, expires_at)

    async def _end_stolen(self, claims: Claims, user: User, client: Client) -> None:
        security_log.record("refresh_reuse", client, user.id, session_id=claims.session_id)
        with suppress(NotFound):  # another request has already ended it
            await self.revoke(user, claims.session_id, client)
        raise InvalidToken("This token was already used, so its session was ended. Log in again.")

    async def revoke(self, user: User, session_id: str, client: Client) -> None:
        """End a session and close its sockets at once. Raises `NotFound`."""
        await self._db.write(
            sessions.delete,
            session_id,
            user.row_id,
            on_commit=lambda _: self._connections.end_session(user.id, session_id),
        )
        security_log.record("session_ended", client, user.id, session_id=session_id)

    async def revoke_all(self, user: User, client: Client) -> None:
        """End all sessions of a user and close their sockets at once."""
        await self._db.write(
            sessions.delete_of_user,
            user.row_id,
            on_commit=lambda _: self._connections.end_other_sessions(user.id, None),
        )
        security_log.record("sessions_ended", client, user.id)

    def page(self, caller: Caller, limit: int, offset: int) -> Page[Session]:
        """Return a page of the caller's live sessions, most recently used first."""
        now, current_id = int(self._clock()), caller.session_id or ""
        return self._db.read(sessions.page, caller.user.row_id, current_id, now, limit, offset)

    async def close(self) -> None:
        """Finish background writes."""
        self._sweeper.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note_use(self, session_id: str, pair: sessions.Pair) -> None:
        """Store the first use of a pair. Later uses need no write."""
        if pair.token_id in self._noting:
            return
        self._noting.add(pair.token_id)
        self._grace.begin(pair.previous_token_id)

        async def note() -> None:
            try:
                now = rfc3339(self._clock())
                await self._db.write(sessions.note_use, session_id, pair.token_id, now)
            finally:
                self._noting.discard(pair.token_id)

        self._in_background(note())

    def _sweep(self) -> None:
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        self._in_background(self._db.write(sessions.sweep, int(self._clock())))

    def _in_background(self, write: Any) -> None:
        task = asyncio.ensure_future(write)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # failing to store the use must not reject the request

    def _tokens_of(
        self, claims: Claims, user: User, token_id: str, expires_at: int
    ) -> dict[str, Any]:
        return _issue(self._tokens, user, claims.session_id, token_id, self._clock(), expires_at)


class _Grace:
    """Past refresh tokens that are still accepted, since two tabs may refresh concurrently."""

    def __init__(self, monotonic: MonotonicClock) -> None:
        self._monotonic = monotonic
        self._until: OrderedDict[str, MonotonicTime] = OrderedDict()  # in order of expiry
        self._after_start = MonotonicTime(monotonic() + REFRESH_REUSE_GRACE_SECONDS)

    def begin(self, token_id: str | None) -> None:
        """Start the grace period (`REFRESH_REUSE_GRACE_SECONDS`) of a past refresh token."""
        if token_id is None:
            return
        now = self._monotonic()
        self._until[token_id] = MonotonicTime(now + REFRESH_REUSE_GRACE_SECONDS)
        self._until.move_to_end(token_id)
        while next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)

    def covers(self, token_id: str, pair: sessions.Pair) -> bool:
        """Return whether a past refresh token of the pair's session is still accepted.

        Just after the start, this includes tokens whose grace period the restart may have cut.
        """
        now = self._monotonic()
        if now < self._until.get(token_id, now):
            return True
        return pair.is_used and pair.previous_token_id == token_id and now < self._after_start


def _issue(
    tokens: Tokens,
    user: User,
    session_id: str,
    token_id: str,
    now: CalendarTime,
    expires_at: int,
) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token(user, session_id, token_id, now),
        "refresh_token": tokens.refresh_token(user, session_id, token_id, now, expires_at),
        "expires_in": tokens.access_seconds,
        "token_type": "Bearer",
    }
