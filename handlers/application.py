"""The application as Tornado serves it: finds the handler of a path and bounds what is read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tornado import httputil
from tornado.escape import url_unescape
from tornado.web import Application, RequestHandler

from core import logs
from handlers import openapi, routes
from handlers.system import NoSuchRoute
from services import Services
from web.base import BaseHandler
from web.guards import MAX_BODY, SMALL_BODY
from web.in_flight import InFlight
from web.server import Relay

log = logging.getLogger("quillium.access")

LARGE_BODIES = 16  # that are read at a time; some 45 MiB with what becomes of them
_LENGTH = re.compile(r"[0-9]{1,20}\Z")


class QuilliumApplication(Application):
    """Routes by the table of `handlers.routes`."""

    def __init__(
        self,
        services: Services,
        static_folder: Path,
        is_draining: Callable[[], bool],
        control_key: str = "",
    ) -> None:
        """`control_key` is what commands of the server's owner show; without one, none may."""
        self.in_flight = InFlight()
        super().__init__(
            in_flight=self.in_flight,
            static_folder=static_folder,
            is_draining=is_draining,
            control_key=control_key,
            openapi=openapi.document,
            log_function=_log_request,
            websocket_ping_interval=30,
            websocket_ping_timeout=20,  # so that a dead peer is gone within 60 s
            websocket_max_message_size=MAX_BODY,
        )
        self._services = services
        self._literal, self._routes = routes.literal(), routes.compiled()
        self._places = asyncio.Semaphore(LARGE_BODIES)

    async def drained(self, seconds: float) -> None:
        """Wait until no request and no WebSocket is in flight, at most for this long."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.in_flight.emptied(), seconds)

    def find_handler(  # type: ignore[override]
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate:
        route = self._literal.get(request.path)
        if route is not None:
            return self._delegate(request, route.handler, route, [])
        for pattern, route in self._routes:
            match = pattern.match(request.path)
            if match:
                path_args = [url_unescape(group, None, False) for group in match.groups()]
                return self._delegate(request, route.handler, route, path_args)
        return self._delegate(request, NoSuchRoute, routes.NONE, [])

    def _delegate(
        self,
        request: httputil.HTTPServerRequest,
        handler: type[RequestHandler],
        route: routes.Route,
        path_args: list[Any],
    ) -> httputil.HTTPMessageDelegate:
        arguments = {
            "services": self._services,
            "operations": route.operations,
            "route": route.path,
        }
        delegate = self.get_handler_delegate(request, handler, arguments, path_args)
        if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
            return _BoundedBody(delegate, arguments, self._places)
        return delegate  # there is no body (RFC 9112, section 6.3)


class _BoundedBody(Relay):
    """Passes on a body of at most `MAX_BODY` bytes; reads the rest without keeping it.

    So the handler can answer 413, and the client gets to see it. Of bodies that are not small, so
    many are read at a time as `places` has; the others wait in their connection. Whatever comes,
    memory is bounded.
    """

    def __init__(
        self,
        delegate: httputil.HTTPMessageDelegate,
        arguments: dict[str, Any],
        places: asyncio.Semaphore,
    ) -> None:
        super().__init__(delegate)
        self._arguments = arguments
        self._places = places
        self._has_place = False
        self._has_ended = False
        self._received = 0

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        announced = headers.get("Content-Length", "")
        if _LENGTH.match(announced) and int(announced) > MAX_BODY:
            self._arguments["is_too_large"] = True
        return super().headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._received > MAX_BODY:
            self._arguments["is_too_large"] = True
        if self._arguments.get("is_too_large"):
            return None
        if self._received > SMALL_BODY and not self._has_place:
            return self._take_place(chunk)
        return super().data_received(chunk)

    def finish(self) -> None:
        super().finish()
        self._end()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._end()

    async def _take_place(self, chunk: bytes) -> None:
        await self._places.acquire()
        if self._has_ended:  # its time was up while it waited
            self._places.release()
            return
        self._has_place = True
        passed_on = super().data_received(chunk)
        if passed_on is not None:
            await passed_on

    def _end(self) -> None:
        self._has_ended = True
        if self._has_place:
            self._has_place = False
            self._places.release()


def _log_request(handler: RequestHandler) -> None:
    """Measure a request and write its line: of its address the route, since tokens can stand there.

    What is fetched with the page, and by whoever watches the server, is for DEBUG.
    """
    assert isinstance(handler, BaseHandler)
    status, milliseconds = handler.get_status(), 1000 * handler.request.request_time()
    method = handler.request.method or ""
    if method not in handler.SUPPORTED_METHODS:
        method = "other"  # whoever makes them up should not fill the figures
    handler.services.metrics.request(handler.route, method, status, milliseconds / 1000)
    level = logging.INFO if handler.is_counted else logging.DEBUG
    level = level if status < 500 else logging.ERROR
    if not log.isEnabledFor(level):
        return
    told = {
        "request_id": handler.request_id,
        "user_id": handler.caller.user.id if handler.caller else None,
        "method": handler.request.method,
        "route": handler.route,
        "status": status,
        "milliseconds": round(milliseconds, 1),
    }
    log.log(
        level,
        "%(status)d %(method)s %(route)s %(milliseconds).1f ms %(user_id)s %(request_id)s",
        told,
        extra=logs.fields(**told),
    )
