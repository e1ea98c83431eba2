"""The Tornado application, which routes requests by the table in `handlers.routes`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from tornado import httputil
from tornado.escape import url_unescape
from tornado.web import Application

from core.brand import QUILLIUM, Brand
from handlers import openai, openapi, routes
from handlers.dev_routes import DEV, DEV_PAGE
from handlers.route import Route
from services import Services
from web import guards
from web.access_log import log_request
from web.base import BaseHandler
from web.body import MAX_BODY, BodySlots, BoundedBody
from web.in_flight import InFlight
from web.target import mount, normalize


class QuilliumApplication(Application):
    """Routes requests by the table in `handlers.routes`."""

    def __init__(
        self,
        services: Services,
        static_folder: Path,
        is_draining: Callable[[], bool],
        control_key: str = "",
        reset: Callable[[], Awaitable[None]] | None = None,
        brand: Brand = QUILLIUM,
    ) -> None:
        """`control_key` authenticates commands of the server's owner; None disables them.

        `reset()` takes a test backend back to its seed, and calls `use` with its new services.
        """
        self.in_flight = InFlight()
        super().__init__(
            in_flight=self.in_flight,
            static_folder=static_folder,
            is_draining=is_draining,
            control_key=control_key,
            reset=reset,
            brand=brand,
            openapi=openapi.prepared,
            log_function=log_request,
            websocket_ping_interval=30,
            websocket_ping_timeout=20,  # detects a dead peer within 60 s
            websocket_max_message_size=MAX_BODY,
        )
        self._services = services
        paths = _paths(is_test_backend=services.config.dev)
        self._literal = {path: route for path, route in paths if "{" not in path}
        self._routes = [(_pattern(path), route) for path, route in paths if "{" in path]
        self._slots = BodySlots()

    def use(self, services: Services) -> None:
        """Serve new requests with other services."""
        self._services = services

    def find_handler(  # type: ignore[override]
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate:
        normalize(request)
        config = self._services.config
        base_path = mount(request, config.base_path, is_proxy_trusted=config.trusted_proxy)
        handler, route, path_args = self._find(request.path)
        return self._delegate(request, handler, route, base_path, path_args)

    def _find(self, path: str) -> tuple[type[BaseHandler], Route, list[Any]]:
        """Return the handler of a path below the base path, its route, and its arguments."""
        route = self._literal.get(path) if path else routes.BASE
        if route is not None:
            return route.handler, route, []
        for pattern, route in self._routes:
            match = pattern.match(path)
            if match:
                return route.handler, route, [url_unescape(g, None, False) for g in match.groups()]
        is_openai = path.startswith("/openai/")
        return openai.OpenAIHandler if is_openai else BaseHandler, routes.NONE, []

    def _delegate(
        self,
        request: httputil.HTTPServerRequest,
        handler: type[BaseHandler],
        route: Route,
        base_path: str,
        path_args: list[Any],
    ) -> httputil.HTTPMessageDelegate:
        arguments = {
            "services": self._services,
            "operations": route.operations,
            "route": route.path,
            "base_path": base_path,
        }
        delegate = self.get_handler_delegate(request, handler, arguments, path_args)
        if handler.streams_body:
            return delegate
        if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
            return BoundedBody(
                delegate,
                arguments,
                self._slots,
                partial(guards.owner, request, self._services),
                handler.max_body,
                keeps_slot=handler.keeps_body,
            )
        return delegate  # there is no body (RFC 9112, section 6.3)


_PLACEHOLDERS = {
    # Match account ids only, so that `/users/ME` is an unknown path.
    "/users/{id}": "/users/(user_[0-9A-Za-z]{1,80})",
    "{id}": "([0-9A-Za-z_]{1,100})",
    "{message_id}": "([0-9A-Za-z_]{1,100})",
    "{file}": "(.+)",
    "{model}": "(.+)",
}


def _paths(*, is_test_backend: bool) -> list[tuple[str, Route]]:
    """Return all paths in matching order, with their routes."""
    api = (*routes.API, *DEV) if is_test_backend else routes.API
    around = (*routes.AROUND, DEV_PAGE) if is_test_backend else routes.AROUND
    paths = [(prefix + route.path, route) for prefix in routes.PREFIXES for route in api]
    return paths + [(route.path, route) for route in around]


def _pattern(path: str) -> re.Pattern[str]:
    for placeholder, expression in _PLACEHOLDERS.items():
        path = path.replace(placeholder, expression)
    return re.compile(path + r"\Z")
