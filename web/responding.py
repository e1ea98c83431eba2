"""Sending the response of a handler: bodies, pages with links, streams, compression."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from urllib.parse import urlencode

from tornado.concurrent import Future
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

import schemas
from core import documents, errors
from core.coroutines import within
from core.records import JsonPage, Page
from services import Services
from web import compression
from web.accept import accepts_gzip
from web.operations import Operation

READ_SECONDS = 30.0  # for a client to read a part of a large response
_VARY = "Origin, Accept-Encoding"


class RespondingHandler(RequestHandler):
    """A handler that sends the responses of its operation. `web.base` sets the attributes."""

    services: Services
    operations: dict[str, Operation]
    base_path: str
    _body: bytes | None = None  # to send when the method has returned
    _sent: Future[None] | None = None  # done when the response has been written to the socket

    @property
    def operation(self) -> Operation:
        method = self.request.method or "GET"
        return self.operations["GET" if method == "HEAD" else method]

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client accepts a gzip body."""
        return accepts_gzip(self.request.headers.get("Accept-Encoding", ""))

    def respond(self, value: dict[str, Any], status: int | None = None) -> None:
        """Send the operation's response; validate it first if the server is configured to."""
        operation = self.operation
        if self.services.config.check_responses and operation.response is not None:
            self._check_response(operation.response, value)
        self.set_status(status or operation.status)
        self.respond_bytes(documents.encoded(value))

    def respond_page(self, page: Page[Any], limit: int, offset: int, **extra: str | None) -> None:
        """Send a page of records, with links to the adjacent pages under the same URL prefix."""
        items = [record.public() for record in page.items]
        self.respond(
            {"data": items, "pagination": self.pagination(page.total, limit, offset, extra)}
        )

    def respond_json_page(
        self, page: JsonPage, limit: int, offset: int, **extra: str | None
    ) -> None:
        """Send a page whose items are already encoded in their public form."""
        pagination = documents.encoded(
            self.pagination(page.total, limit, offset, extra, page.count)
        )
        body = b'{"data":[%s],"pagination":%s}' % (page.items.encode(), pagination)
        if self.services.config.check_responses:
            self._check_response(self.operation.response or "", json.loads(body))
        self.set_status(self.operation.status)
        self.respond_bytes(body)

    def respond_bytes(self, body: bytes) -> None:
        """Send a body, compressed if it is large and the client accepts that."""
        self._body = body

    def respond_prepared(self, body: compression.PreparedBody) -> None:
        """Send a body with its entity tag, or 304, compressed if the client accepts that."""
        self.set_header("Vary", _VARY)
        self.set_header("Etag", body.etag(is_compressed=self.accepts_gzip))
        if self.check_etag_header():
            self.set_status(304)
            return
        if self.accepts_gzip:
            self.set_header("Content-Encoding", "gzip")
        self.write(body.compressed if self.accepts_gzip else body.plain)

    def start_event_stream(self) -> None:
        """Prepare a response of Server-Sent Events, without buffering."""
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("X-Accel-Buffering", "no")
        connection: Any = self.request.connection
        connection.stream.set_nodelay(True)  # Tornado sets it only when a response ends

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a part of a large response. A client that doesn't read it is disconnected.

        Raises `StreamClosedError`.
        """
        self.write(chunk)
        try:
            await within(READ_SECONDS, self.flush())
        except TimeoutError:
            connection: Any = self.request.connection
            connection.stream.close()
            raise StreamClosedError from None

    def respond_empty(self) -> None:
        self.set_status(204)
        self.clear_header("Content-Type")

    def pagination(
        self,
        total: int,
        limit: int,
        offset: int,
        extra: dict[str, str | None],
        count: int | None = None,
    ) -> dict[str, Any]:
        """Return the links of a page. `count` is given where it ended before its limit."""
        end = offset + (limit if count is None else count)
        kept = {name: value for name, value in extra.items() if value is not None}

        def link(to: int) -> str:
            more = f"&{urlencode(kept)}" if kept else ""
            return f"{self.base_path}{self.request.path}?limit={limit}&offset={to}{more}"

        return {
            "total": total,
            "limit": limit,
            "offset": offset,
            "next": link(end) if offset < end < total else None,
            "previous": link(max(0, offset - limit)) if offset > 0 else None,
        }

    def _check_response(self, name: str, value: dict[str, Any]) -> None:
        try:
            schemas.validate(name, value)
        except errors.InvalidRequest as error:
            raise AssertionError(f"The response is not a valid {name}: {error.details}") from None

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        body, self._body = self._body, None
        chunk = body if chunk is None else chunk  # an error replaces the body
        if chunk is body and body is not None and len(body) > compression.LARGE_BYTES:
            self.set_header("Vary", _VARY)
            if self.accepts_gzip:
                self._sent = asyncio.ensure_future(self._finish_compressed(body))
                return self._sent
        self._sent = super().finish(chunk)
        return self._sent

    async def _finish_compressed(self, body: bytes) -> None:
        small = await compression.compressed(body)
        self.set_header("Content-Encoding", "gzip")
        with contextlib.suppress(StreamClosedError):
            await super().finish(small)
