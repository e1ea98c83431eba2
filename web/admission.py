"""One request on its way through the guards, and what they have found out about it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from tornado.httputil import HTTPServerRequest

from core.errors import QuilliumError
from core.rate_limit import Allowance
from core.records import Caller, Client
from services import Services
from web.body import MAX_BODY
from web.client_address import client_address, client_scheme
from web.operations import Operation
from web.simulation import Simulation

_MAX_USER_AGENT = 200  # characters that are kept


@dataclass
class Admission:
    """The first group of fields is given; the second is filled by the guards."""

    request: HTTPServerRequest
    services: Services
    operations: dict[str, Operation]  # by method; empty for an unknown path
    settings: dict[str, Any] = field(default_factory=dict)  # of the application
    is_counted: bool = True  # by the rate limit
    is_too_large: bool = False
    max_body: int = MAX_BODY  # bytes
    request_id: str = ""

    caller: Caller | None = None
    refusal: QuilliumError | None = None  # of the credential; raised where one is needed
    allowed_origin: str | None = None
    allowance: Allowance | None = None
    simulation: Simulation = field(default_factory=Simulation)

    @property
    def operation(self) -> Operation | None:
        method = self.request.method or ""
        return self.operations.get("GET" if method == "HEAD" else method)

    @functools.cached_property
    def client_address(self) -> str:
        """The client's IP address; the proxy's entry if a trusted proxy forwarded the request."""
        return client_address(self.request, is_proxy_trusted=self.services.config.trusted_proxy)

    @functools.cached_property
    def client(self) -> Client:
        """Where the request comes from."""
        user_agent = self.request.headers.get("User-Agent", "")
        return Client(self.client_address, user_agent[:_MAX_USER_AGENT], self.request_id)

    @property
    def own_origin(self) -> str:
        """The origin under which the client sees this server."""
        scheme = client_scheme(self.request, is_proxy_trusted=self.services.config.trusted_proxy)
        return f"{scheme}://{self.request.host}"


def allowed_methods(operations: dict[str, Operation]) -> str:
    """Return the value of `Allow` for a path."""
    methods = {*operations, "OPTIONS"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
