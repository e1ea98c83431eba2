"""What a row of `routes` says of a path, and which requests are under way."""

from __future__ import annotations

import asyncio
import enum
from typing import NamedTuple

from tornado.web import RequestHandler

from core.errors import QuilliumError


class Access(enum.Enum):
    """Who may call an operation."""

    OPEN = "anybody"
    USER = "a user, by a session or an API key"
    SESSION = "a user, by a session"
    ADMIN = "an admin, by a session"
    WATCHER = "an admin, by a session or an API key"


class Operation(NamedTuple):
    """One method of one path. `body` and `response` name schemas; None where there is none."""

    summary: str
    access: Access
    response: str | None
    status: int = 200
    body: str | None = None
    parameters: tuple[str, ...] = ()  # of the query; `openapi` describes them
    errors: tuple[type[QuilliumError], ...] = ()  # beside those that follow from the rest
    more: tuple[AlternateResponse, ...] = ()
    media_type: str = "application/json"  # of the answer


class AlternateResponse(NamedTuple):
    """Another answer of an operation, or another form of one; `schema` is None for plain text."""

    status: int
    media_type: str
    schema: str | None
    description: str


class UnderWay:
    """The requests and sockets that have not ended; a server that goes down waits for them."""

    def __init__(self) -> None:
        self._handlers: set[RequestHandler] = set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def add(self, handler: RequestHandler) -> None:
        self._handlers.add(handler)
        self._is_empty.clear()

    def discard(self, handler: RequestHandler) -> None:
        """Twice is harmless."""
        self._handlers.discard(handler)
        if not self._handlers:
            self._is_empty.set()

    async def emptied(self) -> None:
        await self._is_empty.wait()
