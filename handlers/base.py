"""What every request goes through: who calls, what was sent, and the form of the answer.

A method parses, makes one call, and answers. Errors are raised, from anywhere below, and become
the envelope of contract section 2 here, by the one table `STATUS`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from tornado.web import HTTPError, RequestHandler

import schemas
from core import documents, errors, ids
from core.rate_limit import Allowance
from core.records import Caller, JsonPage, Page
from handlers import origins, parameters
from handlers.operations import Access, Operation
from handlers.simulation import Simulation, simulated
from services import Services
from services.limits import too_many

log = logging.getLogger("quillium")

MAX_BODY = 1 << 20  # bytes
DEEP_OFFSET = 1000  # rows to skip; up to here a page takes less than a millisecond
EXPOSED_HEADERS = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"
)

STATUS: dict[type[errors.QuilliumError], int] = {
    errors.InvalidRequest: 400,
    errors.Unauthorized: 401,
    errors.InvalidToken: 401,
    errors.TokenExpired: 401,
    errors.InvalidCredentials: 401,
    errors.Forbidden: 403,
    errors.RegistrationClosed: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.EmailTaken: 409,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.RateLimited: 429,
    errors.InternalError: 500,
    errors.StorageUnavailable: 503,
    errors.ShuttingDown: 503,
}

ERRORS_BY_STATUS = {status: error for error, status in reversed(STATUS.items())}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class BaseHandler(RequestHandler):
    """The base of all handlers. `operations` comes from the row of `routes`."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    is_counted = True
    statuses: ClassVar = STATUS
    error_schema = "error"
    allowed_headers = (
        "Authorization, Content-Type, X-API-Key, X-Request-Id, Accept, X-Quillium-Simulate"
    )

    # Tornado asks for the default headers before `initialize`, and again when an error replaces
    # the answer: what they are made of must be there from the beginning.
    _request_id: str | None = None
    _allowed_origin: str | None = None
    _allowance: Allowance | None = None
    _simulation = Simulation()

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

    # Before the method

    def set_default_headers(self) -> None:
        """What every answer carries, the replacement by an error included."""
        self.set_header("Server", "Quillium")
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Vary", "Origin")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self._set_headers_of_origin()
        self._set_headers_of_limit()

    def _set_headers_of_origin(self) -> None:
        if self._allowed_origin is not None:
            self.set_header("Access-Control-Allow-Origin", self._allowed_origin)
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    def _set_headers_of_limit(self) -> None:
        if self._allowance is not None:
            self.set_header("X-RateLimit-Limit", str(self._allowance.limit))
            self.set_header("X-RateLimit-Remaining", str(self._allowance.remaining))
            self.set_header("X-RateLimit-Reset", str(self._allowance.reset))

    @property
    def request_id(self) -> str:
        """The caller's own if it is a valid one, else a new one (contract, section 1)."""
        if self._request_id is None:
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if _REQUEST_ID.match(given) else ids.request_id()
        return self._request_id

    async def prepare(self) -> None:
        """Everything that is checked before a method is reached, the cheapest first."""
        self.application.settings["under_way"].add(self)
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
        asked = self.request.headers.get("X-Quillium-Simulate") or self.parameter("simulate")
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
        raise errors.Forbidden("This Host is not served here; ALLOWED_HOSTS can name it.")

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
        raise errors.Forbidden("This Origin may not call; CORS_ALLOWED_ORIGINS can name it.")

    def identify(self, access: Access) -> None:
        """Find out who is calling, count the request, and check that they may.

        Who fails to say who they are is counted by address.
        """
        refusal: errors.QuilliumError | None = None
        credential = self.credential()
        if credential is not None:
            try:
                self.caller = self.services.accounts.authenticate(credential)
            except (errors.InvalidToken, errors.TokenExpired) as error:
                refusal = error
        if self.is_counted:
            self.count()
        if access is Access.OPEN:
            return
        if refusal is not None:
            raise refusal
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
        allowance = self.services.limits.request(who, self.services.clock())
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

    def on_finish(self) -> None:
        self.application.settings["under_way"].discard(self)

    # For the methods

    @property
    def operation(self) -> Operation:
        method = self.request.method or "GET"
        return self.operations["GET" if method == "HEAD" else method]

    @property
    def known_caller(self) -> Caller:
        """Who calls an operation that is not open to anybody."""
        assert self.caller is not None
        return self.caller

    def json_body(self) -> dict[str, Any]:
        """The body, validated against the operation's schema. Raises `InvalidRequest`."""
        name = self.operation.body
        assert name is not None
        required = schemas.SCHEMAS[name].get("required")
        body = self.request.body
        document = documents.parse(body, schemas.passwords(name)) if body or required else {}
        return schemas.accept(name, document)

    def parameter(self, name: str) -> str | None:
        """A query parameter. Raises `InvalidRequest` if it comes twice or can't be text."""
        return parameters.text(self.request.query_arguments, name)

    def page_bounds(self) -> tuple[int, int]:
        """`limit` and `offset` of a list. Raises `InvalidRequest`."""
        return parameters.page_bounds(self.request.query_arguments)

    async def read_page(
        self, offset: int, work: Callable[..., JsonPage], *arguments: Any
    ) -> JsonPage:
        """Read a page of a list: at once, or in the pool when there is much to skip."""
        if offset > DEEP_OFFSET:
            return await self.services.db.read_in_pool(work, *arguments)
        return self.services.db.read(work, *arguments)

    def answer(self, value: dict[str, Any], status: int | None = None) -> None:
        """Send the answer of the operation, checked against its schema when testing."""
        operation = self.operation
        if self.services.config.check_answers and operation.answer is not None:
            self._check_answer(operation.answer, value)
        self.set_status(status or operation.status)
        self.write(encoded(value))

    def answer_page(self, page: Page[Any], limit: int, offset: int, **extra: str | None) -> None:
        """Send a page of records, with links to its neighbours under the request's own prefix."""
        items = [record.public() for record in page.items]
        self.answer(
            {"data": items, "pagination": self.pagination(page.total, limit, offset, extra)}
        )

    def answer_json_page(
        self, page: JsonPage, limit: int, offset: int, **extra: str | None
    ) -> None:
        """Send a page that is in its public form already."""
        pagination = encoded(self.pagination(page.total, limit, offset, extra))
        body = b'{"data":[%s],"pagination":%s}' % (page.items.encode(), pagination)
        if self.services.config.check_answers:
            self._check_answer(self.operation.answer or "", json.loads(body))
        self.set_status(self.operation.status)
        self.write(body)

    def answer_nothing(self) -> None:
        self.set_status(204)
        self.clear_header("Content-Type")

    def pagination(
        self, total: int, limit: int, offset: int, extra: dict[str, str | None]
    ) -> dict[str, Any]:
        kept = {name: value for name, value in extra.items() if value is not None}

        def link(to: int) -> str:
            return f"{self.request.path}?{urlencode({'limit': limit, 'offset': to, **kept})}"

        return {
            "total": total,
            "limit": limit,
            "offset": offset,
            "next": link(offset + limit) if offset + limit < total else None,
            "previous": link(max(0, offset - limit)) if offset > 0 else None,
        }

    def _check_answer(self, name: str, value: dict[str, Any]) -> None:
        try:
            schemas.validate(name, value)
        except errors.InvalidRequest as error:
            raise AssertionError(f"The answer is not a {name}: {error.details}") from None

    # Around the methods

    def head(self, *args: str) -> Any:
        return self.get(*args)

    def options(self, *args: str) -> None:
        """A preflight: needs no token and is not counted (contract, section 9)."""
        self.set_header("Allow", self.allowed_methods())
        self.set_header("Access-Control-Allow-Methods", self.allowed_methods())
        self.set_header("Access-Control-Allow-Headers", self.allowed_headers)
        self.set_header("Access-Control-Max-Age", "600")
        self.answer_nothing()

    def compute_etag(self) -> None:
        return None  # hashing every answer costs more than sending it

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The envelope of contract section 2, for whatever was raised."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        error = self.as_known(raised, status_code)
        self.set_status(self.statuses[type(error)])
        if self._status_code == 401:
            # RFC 6750, section 3.1: `error` only where a token was sent.
            sent = isinstance(error, (errors.InvalidToken, errors.TokenExpired))
            self.set_header(
                "WWW-Authenticate", 'Bearer error="invalid_token"' if sent else "Bearer"
            )
        if isinstance(error, errors.RateLimited):
            self.set_header("Retry-After", str(error.retry_after))
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", self.allowed_methods())
        self.finish(encoded(self.envelope(error)))

    @classmethod
    def envelope(cls, error: errors.QuilliumError) -> dict[str, Any]:
        return {"error": error.public()}

    def as_known(self, raised: BaseException | None, status: int) -> errors.QuilliumError:
        if isinstance(raised, errors.QuilliumError):
            return raised
        if isinstance(raised, HTTPError) and raised.status_code == 405:
            return errors.MethodNotAllowed(f"Allowed here: {self.allowed_methods()}.")
        if isinstance(raised, HTTPError) and raised.status_code in (403, 404):
            return errors.NotFound("file")  # only static files raise these
        if isinstance(raised, HTTPError) and raised.status_code < 500:
            return errors.InvalidRequest("The request can't be read.")
        return errors.InternalError(f"Request {self.request_id}")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, (errors.QuilliumError, HTTPError)):
            log.error("request %s failed", self.request_id, exc_info=(typ, value, tb))


def encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
