"""What lets a request in: which name it comes by, who calls, how often, and what was sent.

All of it is checked before a method is reached. Refusals are raised.
"""

from __future__ import annotations

import asyncio

from tornado.web import RequestHandler

from core import errors
from core.rate_limit import Allowance
from core.records import Caller, Client
from services import Services
from services.limits import too_many
from web import origins, parameters
from web.errors import ERRORS_BY_STATUS
from web.operations import Access, Operation
from web.simulation import Simulation, simulated

MAX_BODY = 1 << 20  # bytes
_MAX_USER_AGENT = 200  # characters, of which the rest is not kept
SMALL_BODY = 1 << 16  # bytes; nearly all that people say
EXPOSED_HEADERS = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"
)


class Admission(RequestHandler):
    """Knows the caller once it has let the request in."""

    is_counted = True

    # Tornado asks for the default headers before `initialize`, and again when an error replaces
    # the answer: what they are made of must be there from the beginning.
    _allowed_origin: str | None = None
    _allowance: Allowance | None = None
    _simulation = Simulation()
    _refusal: errors.QuilliumError | None = None  # of the credential that was sent

    def initialize(
        self,
        services: Services,
        operations: dict[str, Operation],
        route: str,
        is_too_large: bool = False,
    ) -> None:
        self.services = services
        self.operations = operations
        self.route = route
        self.is_too_large = is_too_large
        self.caller: Caller | None = None

    async def prepare(self) -> None:
        """Everything that is checked before a method is reached, the cheapest first."""
        self.check_host()
        self.check_origin_header()
        if self.application.settings["is_draining"]() and self.is_counted:
            raise errors.ShuttingDown("The server is going down. Try again in a moment.")
        if self.request.method == "OPTIONS":
            return
        if self.services.config.dev and await self.simulate():
            return
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        operation = self.operations.get(method)
        access = operation.access if operation else Access.OPEN
        self.identify(access)
        if operation is None:
            self.refuse_method()
        if self.is_too_large:
            raise errors.PayloadTooLarge(f"At most {MAX_BODY:,} bytes are taken.")
        if self.request.body:
            self.check_media_type()

    async def simulate(self) -> bool:
        """Let the request go as `X-Quillium-Simulate` asks; whether it has ended with that."""
        asked = self.request.headers.get("X-Quillium-Simulate") or parameters.text(
            self.request.query_arguments, "simulate"
        )
        self._simulation = simulated(asked or "", ERRORS_BY_STATUS)
        await asyncio.sleep(self._simulation.seconds)
        if self._simulation.error is not None:
            raise self._simulation.error
        if self._simulation.drop:
            self.detach().close()
        return self._simulation.drop

    def refuse_method(self) -> None:
        raise errors.MethodNotAllowed(f"Allowed here: {self.allowed_methods()}.")

    def allowed_methods(self) -> str:
        methods = set(self.operations) | {"OPTIONS"}
        return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))

    def check_host(self) -> None:
        """Refuse names that are not ours: a page elsewhere may have its name lead here (DNS
        rebinding). Raises `Forbidden`."""
        name = origins.host_name(self.request.host)
        config = self.services.config
        if origins.is_loopback(name) or name == config.host.lower() or name in config.allowed_hosts:
            return
        if "*" in config.allowed_hosts or name == self._local_address():
            return
        raise errors.Forbidden("This Host is not among the allowed hosts.")

    def check_origin_header(self) -> None:
        """Refuse pages of other sites. Origins are compared whole. Raises `Forbidden`."""
        origin = self.request.headers.get("Origin")
        if origin is None:
            return
        allowed = self.services.config.cors_allowed_origins
        own = f"{self.request.protocol}://{self.request.host}"
        if (
            origin in (own, *origins.TAURI_ORIGINS)
            or origin.lower() in allowed
            or "*" in allowed
            or origins.is_loopback_origin(origin)
        ):
            self._allowed_origin = origin
            self._set_headers_of_origin()
            return
        raise errors.Forbidden("This Origin is not among the allowed origins.")

    def identify(self, access: Access) -> None:
        """Find out who is calling, count the request, and check that they may.

        Who fails to say who they are is counted by address.
        """
        credential = self.credential()
        if credential is not None:
            try:
                self.caller = self.services.accounts.authenticate(credential)
            except (errors.InvalidToken, errors.TokenExpired) as error:
                self._refusal = error
        if self.is_counted:
            self.count()
        self.authorize(access)

    def authorize(self, access: Access) -> None:
        """Raise unless the caller has this access. A token in the body is for the handler."""
        if access in (Access.OPEN, Access.LOGOUT):
            return
        if self._refusal is not None:
            raise self._refusal
        if self.caller is None:
            raise errors.Unauthorized("Send an access token: Authorization: Bearer <access_token>.")
        if access in (Access.SESSION, Access.ADMIN) and self.caller.session_id is None:
            raise errors.Forbidden("An API key may not do this; log in instead.")
        if access in (Access.ADMIN, Access.WATCHER) and not self.caller.user.is_admin:
            raise errors.Forbidden("Only an admin may do this.")

    def credential(self) -> str | None:
        """The access token or API key that was sent, if any."""
        scheme, _, value = self.request.headers.get("Authorization", "").partition(" ")
        if scheme:
            if scheme.lower() == "bearer" and value.strip():
                return value.strip()
            return ""  # something that is no credential of ours: refused, not overlooked
        return self.request.headers.get("X-API-Key")

    def count(self) -> None:
        """Take a token of the caller's bucket. Raises `RateLimited`."""
        who = self.caller.user.id if self.caller else self.request.remote_ip or "unknown"
        allowance = self.services.limits.request(who)
        self._allowance = allowance
        self._set_headers_of_limit()
        if allowance is not None and not allowance.passed:
            raise too_many(allowance)

    def check_media_type(self) -> None:
        if "Content-Encoding" in self.request.headers:
            raise errors.UnsupportedMediaType("Send the body as it is, without Content-Encoding.")
        sent = self.request.headers.get("Content-Type", "")
        if sent.partition(";")[0].strip().lower() != "application/json":
            raise errors.UnsupportedMediaType("Send Content-Type: application/json.")

    def _local_address(self) -> str | None:
        """The address that this connection reached: a page's name can't be a number."""
        stream = getattr(self.request.connection, "stream", None)
        socket = getattr(stream, "socket", None)
        return socket.getsockname()[0] if socket is not None else None

    @property
    def client(self) -> Client:
        """Where the request comes from."""
        user_agent = self.request.headers.get("User-Agent", "")
        return Client(self.request.remote_ip or "unknown", user_agent[:_MAX_USER_AGENT])

    @property
    def known_caller(self) -> Caller:
        """Who calls an operation that is not open to anybody."""
        assert self.caller is not None
        return self.caller

    def _set_headers_of_origin(self) -> None:
        if self._allowed_origin is not None:
            self.set_header("Access-Control-Allow-Origin", self._allowed_origin)
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def _set_headers_of_limit(self) -> None:
        if self._allowance is not None:
            self.set_header("X-RateLimit-Limit", str(self._allowance.limit))
            self.set_header("X-RateLimit-Remaining", str(self._allowance.remaining))
            self.set_header(
                "X-RateLimit-Reset", str(self.services.limits.reset_at(self._allowance))
            )
