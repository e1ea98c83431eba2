"""The request data that guards check, and their results."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from tornado.httputil import HTTPServerRequest

from core.errors import QuilliumError
from core.networks import network_of
from core.rate_limit import Allowance
from core.records import Caller, Client
from services import Services
from web.body import MAX_BODY
from web.client_address import client_address, client_scheme
from web.operations import Operation
from web.simulation import Simulation

_MAX_USER_AGENT = 200  # characters; the rest is cut off


@dataclass
class Admission:
    """The caller sets the first group of fields, the guards set the second."""

    request: HTTPServerRequest
    services: Services
    operations: dict[str, Operation]  # by method; empty if the path is unknown
    settings: dict[str, Any] = field(default_factory=dict)  # of the application
    is_counted: bool = True  # by the rate limit
    is_too_large: bool = False
    max_body: int = MAX_BODY  # bytes
    request_id: str = ""
    route: str = ""  # with placeholders, such as `/chats/{id}`

    caller: Caller | None = None
    refusal: QuilliumError | None = None  # error of a rejected credential
    allowed_origin: str | None = None
    allowance: Allowance | None = None
    simulation: Simulation = field(default_factory=Simulation)

    @property
    def operation(self) -> Operation | None:
        method = self.request.method or ""
        return self.operations.get("GET" if method == "HEAD" else method)

    @functools.cached_property
    def client_address(self) -> str:
        """The client's IP address, taken from a trusted proxy's header if there is one."""
        return client_address(self.request, is_proxy_trusted=self.services.config.trusted_proxy)

    @property
    def client_network(self) -> str:
        """What a caller without an account counts as: the address, or its network for IPv6."""
        return network_of(self.client_address)

    @functools.cached_property
    def client(self) -> Client:
        """The client's address and user agent."""
        user_agent = self.request.headers.get("User-Agent", "")
        return Client(self.client_address, user_agent[:_MAX_USER_AGENT], self.request_id)

    @property
    def scheme(self) -> str:
        """`http` or `https`, as the client sent the request."""
        return client_scheme(self.request, is_proxy_trusted=self.services.config.trusted_proxy)

    @property
    def is_from_page(self) -> bool:
        """Whether the request comes from the server's own page, by its Origin."""
        return self.request.headers.get("Origin") == self.own_origin

    @property
    def own_origin(self) -> str:
        """The server's own origin, as the client addresses it."""
        return f"{self.scheme}://{self.request.host}"


def allowed_methods(operations: dict[str, Operation]) -> str:
    """Return the value of `Allow` for a path."""
    methods = {*operations, "OPTIONS"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
