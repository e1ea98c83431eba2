"""HTTP/1.1 connections that report malformed requests in the JSON envelope (Tornado 6.6.1).

A request that Tornado can't parse (a header, a chunk with an extension, a trailer) never reaches a
handler. Tornado responds with a bare status line and logs the header's value, which can be an
access token. It has no setting for this, so the methods overridden here are private.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable
from typing import Any

from tornado import httputil
from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.iostream import StreamClosedError, UnsatisfiableReadError

from assistant import passing
from core import documents, errors, ids
from web import headers as security_headers
from web.relay import Relay

_SECURITY_HEADERS = "".join(f"{name}: {value}\r\n" for name, value in security_headers.API.items())

log = logging.getLogger("quillium")


class ServerConnection(HTTP1ServerConnection):
    """A client's connection and its sequence of requests."""

    async def _server_request_loop(self, delegate: httputil.HTTPServerConnectionDelegate) -> None:
        try:
            has_more = True
            while has_more:
                connection = Connection(self.stream, False, self.params, self.context)
                request = delegate.start_request(self, connection)
                has_more = await connection.read_response(request)
        except (StreamClosedError, UnsatisfiableReadError):
            pass  # the latter is raised for a header over the limit, and closes the stream
        finally:
            delegate.on_close(self)


class Connection(HTTP1Connection):
    """One request and its response."""

    async def _read_message(self, delegate: httputil.HTTPMessageDelegate) -> bool:
        try:
            return await super()._read_message(delegate)
        except _Malformed as error:
            await self._refuse(str(error))
            return False

    def _parse_headers(self, data: bytes) -> tuple[str, httputil.HTTPHeaders]:
        try:
            start_line, headers = super()._parse_headers(data)
            httputil.parse_request_start_line(start_line)
        except httputil.HTTPInputError:
            raise _Malformed("The request line or a header is malformed.") from None
        return start_line, headers

    def _read_body(
        self, code: int, headers: httputil.HTTPHeaders, delegate: httputil.HTTPMessageDelegate
    ) -> Awaitable[None] | None:
        try:
            reading = super()._read_body(code, headers, delegate)
        except httputil.HTTPInputError:
            raise _Malformed(
                "Send either a Content-Length or Transfer-Encoding: chunked."
            ) from None
        return reading and self._read_chunks(reading)

    async def _read_chunks(self, reading: Awaitable[None]) -> None:
        try:
            await reading
        except httputil.HTTPInputError:
            raise _Malformed(
                "The chunked body is malformed; extensions and trailers are not supported."
            ) from None

    async def _refuse(self, details: str) -> None:
        """Send the envelope, unless the handler has responded, and close the connection."""
        if self._response_start_line is None:
            with contextlib.suppress(StreamClosedError):
                await self.stream.write(refusal(details))
        self.close()


class Refusing(Relay):
    """Rejects a request whose Host or query Tornado does not accept."""

    def __init__(
        self, delegate: httputil.HTTPMessageDelegate, connection: httputil.HTTPConnection
    ) -> None:
        super().__init__(delegate)
        self._connection = connection

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        try:
            return super().headers_received(start_line, headers)
        except httputil.HTTPInputError:
            assert isinstance(start_line, httputil.RequestStartLine)
            return self._refuse(start_line.path)

    async def _refuse(self, path: str) -> None:
        assert isinstance(self._connection, HTTP1Connection)
        stream = self._connection.detach()  # stops reading
        with contextlib.suppress(StreamClosedError):
            await stream.write(refusal("The Host or the query is malformed.", path))
        stream.close()


class Peer:
    """The client's end of a connection, with the attributes that Tornado requires."""

    protocol = "http"

    def __init__(self, address: Any) -> None:
        """`address` is the socket's peer address, which is empty for a Unix socket."""
        self.remote_ip = address[0] if isinstance(address, tuple) else ""


def refusal(details: str, path: str = "") -> bytes:
    """Return a complete 400 response for a request that has no handler.

    Errors below `/openai/` have OpenAI's form (contract, section 8), if the path could be read.
    """
    error = errors.InvalidRequest(details)
    envelope: dict[str, Any] = {"error": error.public()}
    if "/openai/" in path.partition("?")[0]:
        envelope = passing.envelope(400, f"{error.message}: {details}", error.code)
    request_id = ids.request_id()
    log.info("request %s was malformed: %s", request_id, details)
    body = documents.encoded(envelope)
    head = (
        "HTTP/1.1 400 Bad Request\r\n"
        "Server: Quillium\r\n"
        f"X-Request-Id: {request_id}\r\n"
        "Cache-Control: no-store\r\n"
        f"{_SECURITY_HEADERS}"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


class _Malformed(Exception):
    """A request can't be parsed. The message never quotes the request."""
