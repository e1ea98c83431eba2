"""Tornado's HTTP server with limits that it has no settings for (docs/security.md, "The edge").

A request header must be complete within 10 s of its first byte; Tornado has one time-out that also
applies to idle connections. The number of connections is limited so that the database and existing
connections never run out of file descriptors.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Awaitable
from typing import Any

from tornado import httputil
from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream
from tornado.web import Application

from web.connection import Peer, Refusing, ServerConnection
from web.relay import Relay

IDLE_SECONDS = 300.0
HEADER_SECONDS = 10.0
BODY_SECONDS = 30.0
SLOWEST_BODY = 1 << 18  # bytes a second; what arrives gives a large body more time
_CHECK_SECONDS = 2.0  # between two checks of pending requests
_MAX_FILES = 16_384  # requested from the system
_FILES_KEPT = 100  # reserved for the database, upstreams and the rest; at most half of the limit

# For a body over its own limit, Tornado closes the connection with a bare 400, which a client that
# is still sending never sees. So the application enforces the limit, and reads the rest.
_NO_LIMIT = 1 << 50


class Server(HTTPServer):
    def initialize(self, application: Application) -> None:  # type: ignore[override]
        """Initialize the server. Tornado's `Configurable` calls this instead of `__init__`."""
        super().initialize(application, max_body_size=_NO_LIMIT, max_header_size=1 << 16)
        # Tornado's own time-outs cost a future and a timer per request, a tenth of its time.
        self.conn_params.header_timeout = None
        allowed = _allowed_files()
        self._last_file = allowed - min(_FILES_KEPT, allowed // 2)
        self._pending: dict[HTTP1ServerConnection, _PendingRequest] = {}
        self._timer = PeriodicCallback(self._close_overdue, 1000 * _CHECK_SECONDS)

    def add_sockets(self, sockets: Any) -> None:
        super().add_sockets(sockets)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        super().stop()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        # POSIX assigns the lowest free descriptor, so its number shows how many files are open.
        if os.name == "posix" and stream.socket.fileno() > self._last_file:
            stream.close()
            return
        connection = ServerConnection(stream, self.conn_params, Peer(address))
        self._connections.add(connection)
        connection.start_serving(self)

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        assert isinstance(server_conn, HTTP1ServerConnection)
        delegate = Refusing(super().start_request(server_conn, request_conn), request_conn)
        pending = self._pending[server_conn] = _PendingRequest(delegate, server_conn, self._pending)
        return pending

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._pending.pop(server_conn, None)
        super().on_close(server_conn)

    def _close_overdue(self) -> None:
        now = time.monotonic()
        for connection, pending in list(self._pending.items()):
            # Only this private attribute has the state; a test checks that it still exists.
            if pending.is_idle and connection.stream._read_buffer_size > 0:
                pending.is_idle = False
                pending.deadline = now + HEADER_SECONDS - 2 * _CHECK_SECONDS
            elif now > pending.deadline:
                connection.stream.close()


class _PendingRequest(Relay):
    """A request that is not complete yet; `deadline` is the deadline of its current phase."""

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        connection: HTTP1ServerConnection,
        pending: dict[HTTP1ServerConnection, _PendingRequest],
    ) -> None:
        super().__init__(delegate)
        self._connection = connection
        self._pending = pending
        self.is_idle = True  # no byte received yet
        self.deadline = time.monotonic() + IDLE_SECONDS

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        self.is_idle = False
        self.deadline = time.monotonic() + BODY_SECONDS
        return super().headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.deadline += len(chunk) / SLOWEST_BODY
        waiting = super().data_received(chunk)
        return None if waiting is None else self._unhurried(waiting)

    async def _unhurried(self, waiting: Awaitable[None]) -> None:
        """Wait for a place to read a large body, which is not the client's fault."""
        left = self.deadline - time.monotonic()
        self.deadline = math.inf
        await waiting
        self.deadline = time.monotonic() + left

    def finish(self) -> None:
        self._pending.pop(self._connection, None)
        super().finish()


def _allowed_files() -> int:
    """Raise the limit of open files if possible, and return it."""
    if sys.platform == "win32":  # mypy understands this check, but not one of `os.name`
        return _MAX_FILES
    import resource  # not available on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        soft = target
    return _MAX_FILES if soft == resource.RLIM_INFINITY else soft
