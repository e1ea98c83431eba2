"""The operations in the route table: required access, body, responses."""

from __future__ import annotations

import enum
from typing import NamedTuple

from core.errors import QuilliumError


class Access(enum.Enum):
    """The access that an operation requires."""

    OPEN = "anybody"
    USER = "a user, by a session or an API key"
    SESSION = "a user, by a session"
    LOGOUT = "a user, by a session, or by a refresh token in the body"
    ADMIN = "an admin, by a session"
    WATCHER = "an admin, by a session or an API key"


class Operation(NamedTuple):
    """One method of one path. `body` and `response` name schemas, or are None."""

    summary: str
    access: Access
    response: str | None
    status: int = 200
    body: str | None = None
    accepts: str | None = None  # media type of a body that is not JSON
    parameters: tuple[str, ...] = ()  # query parameters; `openapi` describes them
    errors: tuple[type[QuilliumError], ...] = ()  # besides the errors that the other fields imply
    more: tuple[AlternateResponse, ...] = ()
    media_type: str = "application/json"  # of the response


class AlternateResponse(NamedTuple):
    """An alternate response of an operation; `schema` is None for plain text."""

    status: int
    media_type: str
    schema: str | None
    description: str
