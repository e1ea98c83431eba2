"""What a row of `routes` says of a path."""

from __future__ import annotations

import enum
from typing import NamedTuple

from core.errors import QuilliumError


class Access(enum.Enum):
    """Who may call an operation."""

    OPEN = "anybody"
    USER = "a user, by a session or an API key"
    SESSION = "a user, by a session"
    LOGOUT = "a user, by a session, or by a refresh token in the body"
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
