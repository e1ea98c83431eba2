"""The HTTP server: Tornado's, with what it has no setting for (docs/security.md, "The edge").

A header that has begun has to be there within 10 s; Tornado's one limit is for idle connections
too. And there are never so many connections that the database, or those who are connected already,
lack a file to open.
"""

from __future__ import annotations

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
_LOOK_SECONDS = 2.0  # from one look at what is awaited to the next
_MAX_FILES = 16_384  # that are asked of the system
_FILES_KEPT = 100  # for the database, upstreams and the rest; half of what is allowed at most

# Tornado closes the connection on a body over its own limit, with a bare 400 that a client which
# is still sending never sees. So the application's is the one that counts, and reads on.
_NO_LIMIT = 1 << 50


class Server(HTTPServer):
    def initialize(self, application: Application) -> None:  # type: ignore[override]
        """The constructor, by the name that Tornado gives it."""
        super().initialize(application, max_body_size=_NO_LIMIT, max_header_size=1 << 16)
        # Tornado's own time-outs are a future and a timer in each request, a tenth of what it does.
        self.conn_params.header_timeout = None
        allowed = _allowed_files()
        self._last_file = allowed - min(_FILES_KEPT, allowed // 2)
        self._awaited: dict[HTTP1ServerConnection, _Awaited] = {}
        self._looking = PeriodicCallback(self._look, 1000 * _LOOK_SECONDS)

    def add_sockets(self, sockets: Any) -> None:
        super().add_sockets(sockets)
        self._looking.start()

    def stop(self) -> None:
        self._looking.stop()
        super().stop()

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        # POSIX gives the lowest free number, so this one tells how many files are open.
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
        awaited = self._awaited[server_conn] = _Awaited(delegate, server_conn, self._awaited)
        return awaited

    def on_close(self, server_conn: object) -> None:
        assert isinstance(server_conn, HTTP1ServerConnection)
        self._awaited.pop(server_conn, None)
        super().on_close(server_conn)

    def _look(self) -> None:
        now = time.monotonic()
        for connection, awaited in list(self._awaited.items()):
            # A private name, and the only one that knows. A test sees that it still does.
            if awaited.is_idle and connection.stream._read_buffer_size > 0:
                awaited.is_idle = False
                awaited.until = now + HEADER_SECONDS - 2 * _LOOK_SECONDS
            elif now > awaited.until:
                connection.stream.close()


class _Awaited(Relay):
    """A request that is not here yet: the next one of its connection, a header, then a body."""

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        connection: HTTP1ServerConnection,
        awaited: dict[HTTP1ServerConnection, _Awaited],
    ) -> None:
        super().__init__(delegate)
        self._connection = connection
        self._awaited = awaited
        self.is_idle = True  # nothing of it was seen
        self.until = time.monotonic() + IDLE_SECONDS

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        self.is_idle = False
        self.until = time.monotonic() + BODY_SECONDS
        return super().headers_received(start_line, headers)

    def finish(self) -> None:
        self._awaited.pop(self._connection, None)
        super().finish()


def _allowed_files() -> int:
    """How many files the process may have open, after asking for more than systems begin with."""
    if sys.platform == "win32":  # a type checker knows this test, but not one of `os.name`
        return _MAX_FILES
    import resource  # not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return _MAX_FILES if soft == resource.RLIM_INFINITY else soft
