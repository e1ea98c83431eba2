"""The `Route` class for rows of the route table, and shared constants."""

from __future__ import annotations

from typing import NamedTuple

from web.base import BaseHandler
from web.operations import Access, Operation

JSON = "application/json"
ANY = "*/*"  # the bytes of a file of any type
OPEN, USER, SESSION, ADMIN = Access.OPEN, Access.USER, Access.SESSION, Access.ADMIN
PAGE = ("limit", "offset")  # the query parameters of a list


class Route(NamedTuple):
    """A path, its handler, and its operations by method."""

    path: str
    handler: type[BaseHandler]
    operations: dict[str, Operation]
