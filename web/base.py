"""What every request goes through once it was let in: what was sent, and the form of the answer.

A method parses, makes one call, and answers. Errors are raised, from anywhere below, and become
the envelope of contract section 2 here, by the one table `STATUS`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVarTuple
from urllib.parse import urlencode

from tornado.concurrent import Future
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

import schemas
from core import coroutines, documents, errors, ids
from core.records import JsonPage, Page
from storage.connection import Connection
from web import parameters
from web.errors import STATUS
from web.guards import SMALL_BODY, Admission
from web.operations import Operation

Arguments = TypeVarTuple("Arguments")

log = logging.getLogger("quillium")

DEEP_OFFSET = 1000  # rows to skip; up to here a page takes less than a millisecond
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


class BaseHandler(Admission):
    """The base of all handlers. `operations` comes from the row of `routes`."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    statuses: ClassVar = STATUS
    error_schema = "error"
    allowed_headers = (
        "Authorization, Content-Type, X-API-Key, X-Request-Id, Accept, X-Quillium-Simulate"
    )

    _request_id: str | None = None
    _sent: Future[None] | None = None  # done when the response has left the process

    def _execute(self, *args: Any, **kwargs: Any) -> Any:
        """Begin at once: Tornado gives each request a task, whose turn comes a round later.

        So has one with a large body, for others to have theirs between two of them.
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
            await execution
            if self._sent is not None and not self._sent.done():
                with contextlib.suppress(StreamClosedError):
                    await self._sent

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        self._sent = super().finish(chunk)
        return self._sent

    def set_default_headers(self) -> None:
        """What every answer carries, the replacement by an error included."""
        headers = self._headers  # `set_header` looks for what can't be in these
        headers["Server"] = "Quillium"
        headers["X-Request-Id"] = self.request_id
        headers["Vary"] = "Origin"
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Content-Type"] = "application/json; charset=utf-8"
        self._set_headers_of_origin()
        self._set_headers_of_limit()

    @property
    def request_id(self) -> str:
        """The caller's own if it is a valid one, else a new one (contract, section 1)."""
        if self._request_id is None:
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if _REQUEST_ID.match(given) else ids.request_id()
        return self._request_id

    # For the methods

    @property
    def operation(self) -> Operation:
        method = self.request.method or "GET"
        return self.operations["GET" if method == "HEAD" else method]

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
        """A query parameter. Raises `InvalidRequest` if it comes twice or can't be text."""
        return parameters.text(self.request.query_arguments, name)

    def page_bounds(self) -> tuple[int, int]:
        """`limit` and `offset` of a list. Raises `InvalidRequest`."""
        return parameters.page_bounds(self.request.query_arguments)

    async def read_page(
        self,
        offset: int,
        work: Callable[[Connection, *Arguments], JsonPage],
        *arguments: *Arguments,
    ) -> JsonPage:
        """Read a page of a list: at once, or in the pool when there is much to skip."""
        if offset > DEEP_OFFSET:
            return await self.services.db.read_in_pool(work, *arguments)
        return self.services.db.read(work, *arguments)

    def respond(self, value: dict[str, Any], status: int | None = None) -> None:
        """Send the answer of the operation, checked against its schema when testing."""
        operation = self.operation
        if self.services.config.check_responses and operation.response is not None:
            self._check_response(operation.response, value)
        self.set_status(status or operation.status)
        self.write(documents.encoded(value))

    def respond_page(self, page: Page[Any], limit: int, offset: int, **extra: str | None) -> None:
        """Send a page of records, with links to its neighbours under the request's own prefix."""
        items = [record.public() for record in page.items]
        self.respond(
            {"data": items, "pagination": self.pagination(page.total, limit, offset, extra)}
        )

    def respond_json_page(
        self, page: JsonPage, limit: int, offset: int, **extra: str | None
    ) -> None:
        """Send a page that is in its public form already."""
        pagination = documents.encoded(self.pagination(page.total, limit, offset, extra))
        body = b'{"data":[%s],"pagination":%s}' % (page.items.encode(), pagination)
        if self.services.config.check_responses:
            self._check_response(self.operation.response or "", json.loads(body))
        self.set_status(self.operation.status)
        self.write(body)

    def respond_empty(self) -> None:
        self.set_status(204)
        self.clear_header("Content-Type")

    def pagination(
        self, total: int, limit: int, offset: int, extra: dict[str, str | None]
    ) -> dict[str, Any]:
        kept = {name: value for name, value in extra.items() if value is not None}

        def link(to: int) -> str:
            more = f"&{urlencode(kept)}" if kept else ""
            return f"{self.request.path}?limit={limit}&offset={to}{more}"

        return {
            "total": total,
            "limit": limit,
            "offset": offset,
            "next": link(offset + limit) if offset + limit < total else None,
            "previous": link(max(0, offset - limit)) if offset > 0 else None,
        }

    def _check_response(self, name: str, value: dict[str, Any]) -> None:
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
        self.respond_empty()

    def compute_etag(self) -> None:
        return None  # hashing every answer costs more than sending it

    def check_etag_header(self) -> bool:
        return "Etag" in self._headers and super().check_etag_header()

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
        self.finish(documents.encoded(self.envelope(error)))

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
