"""What a row of the table of routes is."""

from __future__ import annotations

from typing import NamedTuple

from web.base import BaseHandler
from web.operations import Operation

JSON = "application/json"


class Route(NamedTuple):
    """A path, its handler, and its operations by method."""

    path: str
    handler: type[BaseHandler]
    operations: dict[str, Operation]
