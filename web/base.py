"""The base class of all handlers: run guards, parse the request, send the response or error.

A handler method parses, makes one call, and responds. This class turns every application error
into the error envelope (contract, section 2), with the status from `web.errors`.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, TypeVarTuple

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

import schemas
from core import coroutines, documents, errors, ids
from core.records import Caller, Client, JsonPage
from services import Services
from storage.connection import Connection
from web import guards, headers, parameters
from web.admission import Admission, allowed_methods
from web.body import MAX_BODY, SMALL_BODY
from web.errors import STATUS, status_of
from web.guards import Guard
from web.operations import Access, Operation
from web.responding import RespondingHandler

Arguments = TypeVarTuple("Arguments")

log = logging.getLogger("quillium")

DEEP_OFFSET = 1000  # a page with a smaller offset takes less than a millisecond
EXPOSED_HEADERS = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After"
)
_USUAL_HEADERS = "Authorization, Content-Type, X-API-Key, X-Request-Id, Accept, X-Quillium-Simulate"
_HEADER_NAMES = re.compile(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}(, ?[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}){0,99}\Z"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class BaseHandler(RespondingHandler):
    """The base class of all handlers. `operations` comes from the route table."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    guards: ClassVar[tuple[Guard, ...]] = guards.REQUEST
    is_counted = True  # by the rate limit
    statuses: ClassVar = STATUS
    error_schema = "error"
    max_body: ClassVar[int] = MAX_BODY  # bytes
    streams_body: ClassVar = False  # whether the handler reads the body and applies its limits
    keeps_body: ClassVar = False  # whether the method reads the body step by step (`BoundedBody`)

    # Tornado asks for the default headers before `initialize`, and again when an error replaces
    # the response.
    admission: Admission | None = None
    _request_id: str | None = None
    _events = 0

    def initialize(
        self,
        services: Services,
        operations: dict[str, Operation],
        route: str,
        base_path: str = "",
        is_too_large: bool = False,
        release_body: Callable[[], None] | None = None,
    ) -> None:
        self.services = services
        self.operations = operations
        self.route = route
        self.base_path = base_path  # of links; the path of the request is without it
        self.is_too_large = is_too_large
        self._release_body = release_body

    async def prepare(self) -> None:
        """Run the guards before the method. An error they raise becomes the response."""
        self.admission = Admission(
            request=self.request,
            services=self.services,
            operations=self.operations,
            settings=self.application.settings,
            is_counted=self.is_counted,
            is_too_large=self.is_too_large,
            max_body=self.max_body,
            request_id=self.request_id,
            route=self.route,
        )
        is_preflight = self.request.method == "OPTIONS"
        await guards.run(guards.PREFLIGHT if is_preflight else self.guards, self.admission)
        self._set_headers_of_admission(self.admission)

    def _execute(self, *args: Any, **kwargs: Any) -> Any:
        """Count the request as in flight, and start eagerly where Python supports it.

        A request with a large body yields to the event loop first, so that others are not starved.
        """
        execution = self._counted(super()._execute(*args, **kwargs))
        is_large = len(self.request.body) > SMALL_BODY
        return execution if is_large else coroutines.begin(execution)

    async def _counted(self, execution: Awaitable[None]) -> None:
        """Count the request as in flight until its response is sent or its connection is lost.

        A WebSocket's execution lasts as long as the socket. Counting around it also covers
        `detach()`, after which Tornado never calls `on_finish`.
        """
        with self.application.settings["in_flight"]:
            try:
                await execution
            finally:
                if self._release_body is not None:
                    self._release_body()
            if self._sent is not None and not self._sent.done():
                with contextlib.suppress(StreamClosedError):
                    await self._sent

    def set_default_headers(self) -> None:
        """Set the headers of every response, including error responses."""
        self.set_header("Server", "Quillium")
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Vary", "Origin")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_fixed_headers(headers.API)
        if self.admission is not None:
            self._set_headers_of_admission(self.admission)

    def set_fixed_headers(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self.set_header(name, value)

    def _set_headers_of_admission(self, admission: Admission) -> None:
        if admission.scheme == "https":
            self.set_header("Strict-Transport-Security", headers.TRANSPORT_SECURITY)
        if admission.allowed_origin is not None:
            self.set_header("Access-Control-Allow-Origin", admission.allowed_origin)
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)
        if admission.allowance is not None:
            self.set_header("X-RateLimit-Limit", str(admission.allowance.limit))
            self.set_header("X-RateLimit-Remaining", str(admission.allowance.remaining))
            self.set_header(
                "X-RateLimit-Reset", str(self.services.limits.reset_at(admission.allowance))
            )

    @property
    def caller(self) -> Caller | None:
        """The authenticated caller, or None."""
        return self.admission.caller if self.admission else None

    @property
    def known_caller(self) -> Caller:
        """The authenticated caller of an operation that requires one."""
        assert self.admission is not None
        assert self.admission.caller is not None
        return self.admission.caller

    @property
    def client(self) -> Client:
        """The client's address and user agent."""
        assert self.admission is not None
        return self.admission.client

    @property
    def is_from_page(self) -> bool:
        """Whether the request comes from the server's own page."""
        return self.admission is not None and self.admission.is_from_page

    def authorize(self, access: Access) -> None:
        """Raise unless the caller has this access, for operations where it depends on the body."""
        assert self.admission is not None
        guards.authorize(self.admission, access)

    @property
    def request_id(self) -> str:
        """The client's own request id if it is valid, else a new one (contract, section 1)."""
        if self._request_id is None:
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if _REQUEST_ID.match(given) else ids.request_id()
        return self._request_id

    def count_event(self) -> None:
        """Count an event of a stream before it is written.

        Raises `StreamClosedError` if a simulation closes the connection instead.
        """
        if self.admission is not None and self._events == self.admission.simulation.drop_after:
            self.request.connection.stream.close()  # type: ignore[union-attr]
            raise StreamClosedError
        self._events += 1

    # For the methods

    def json_body(self, **fixed: Any) -> dict[str, Any]:
        """Return the body, validated against the operation's schema, without read-only fields.

        Read-only fields named in `fixed` must have that value. Raises `InvalidRequest`.
        """
        name = self.operation.body
        assert name is not None
        required = schemas.SCHEMAS[name].get("required")
        body = self.request.body
        document = documents.parse(body, schemas.passwords(name)) if body or required else {}
        return schemas.accept(name, document, **fixed)

    def parameter(self, name: str) -> str | None:
        """Return a query parameter. Raises `InvalidRequest` if it is repeated or not valid text."""
        return parameters.text(self.request.query_arguments, name)

    def page_bounds(self) -> tuple[int, int]:
        """Return `limit` and `offset` of a list request. Raises `InvalidRequest`."""
        return parameters.page_bounds(self.request.query_arguments)

    async def read_page(
        self,
        offset: int,
        work: Callable[[Connection, *Arguments], JsonPage],
        *arguments: *Arguments,
    ) -> JsonPage:
        """Read a page of a list: directly, or in the thread pool for a large offset."""
        if offset > DEEP_OFFSET:
            return await self.services.db.read_in_pool(work, *arguments)
        return self.services.db.read(work, *arguments)

    # Around the methods

    def head(self, *args: str) -> Any:
        return self.get(*args)

    def options(self, *args: str) -> None:
        """Respond to a preflight: an allowed origin may send any header (contract, section 9)."""
        requested = self.request.headers.get("Access-Control-Request-Headers", "")
        headers = requested if _HEADER_NAMES.match(requested) else _USUAL_HEADERS
        self.set_header("Allow", allowed_methods(self.operations))
        self.set_header("Access-Control-Allow-Methods", allowed_methods(self.operations))
        self.set_header("Access-Control-Allow-Headers", headers)
        self.set_header("Access-Control-Max-Age", "600")
        self.set_header("Vary", "Origin, Access-Control-Request-Headers")
        self.respond_empty()

    def compute_etag(self) -> None:
        return None  # hashing a response costs more than sending it

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send the error envelope (contract, section 2) for any exception."""
        raised = kwargs.get("exc_info", (None, None, None))[1]
        error = self.as_known(raised, status_code)
        self.set_status(status_of(type(error), self.statuses))
        if self._status_code == 401:
            # RFC 6750, section 3.1: `error` only where a token was sent.
            sent = isinstance(error, (errors.InvalidToken, errors.TokenExpired))
            self.set_header(
                "WWW-Authenticate", 'Bearer error="invalid_token"' if sent else "Bearer"
            )
        if isinstance(error, errors.RateLimited):
            self.set_header("Retry-After", str(error.retry_after))
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", allowed_methods(self.operations))
        self.finish(documents.encoded(self.envelope(error)))

    @classmethod
    def envelope(cls, error: errors.QuilliumError) -> dict[str, Any]:
        return {"error": error.public()}

    def as_known(self, raised: BaseException | None, status: int) -> errors.QuilliumError:
        if isinstance(raised, errors.QuilliumError):
            return raised
        if isinstance(raised, HTTPError) and raised.status_code == 405:
            return errors.MethodNotAllowed(f"Allowed here: {allowed_methods(self.operations)}.")
        if isinstance(raised, HTTPError) and raised.status_code in (403, 404):
            return errors.NotFound("file")  # only static files raise these
        if isinstance(raised, HTTPError) and raised.status_code < 500:
            return errors.InvalidRequest("The request can't be read.")
        return errors.InternalError(f"Request {self.request_id}")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, (errors.QuilliumError, HTTPError)):
            log.error("request %s failed", self.request_id, exc_info=(typ, value, tb))
