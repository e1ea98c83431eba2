"""The access log: one line for each request."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

from core import logs
from core.api_paths import is_api, without_prefix
from services.dev import Journal
from web.base import BaseHandler

log = logging.getLogger("quillium.access")


def log_request(handler: RequestHandler) -> None:
    """Record the metrics of a request and log it with its route, because a URL can contain a token.

    Static files and health checks are logged at DEBUG.
    """
    assert isinstance(handler, BaseHandler)
    status, milliseconds = handler.get_status(), 1000 * handler.request.request_time()
    method = handler.request.method or ""
    caller = handler.admission.caller if handler.admission else None
    if method not in handler.SUPPORTED_METHODS:
        method = "other"  # arbitrary method names must not create new time series
    handler.services.metrics.request(handler.route, method, status, milliseconds / 1000)
    is_of_tests = handler.route.startswith("/dev/")
    if handler.services.dev is not None and is_api(handler.request.path) and not is_of_tests:
        _record(handler, handler.services.dev.journal, status, milliseconds)
    level = logging.INFO if handler.is_counted else logging.DEBUG
    level = level if status < 500 else logging.ERROR
    if not log.isEnabledFor(level):
        return
    values = {
        "request_id": handler.request_id,
        "address": handler.admission.client_address if handler.admission else None,
        "user_id": caller.user.id if caller else None,
        "method": handler.request.method,
        "route": handler.route,
        "status": status,
        "milliseconds": round(milliseconds, 1),
    }
    log.log(
        level,
        "%(status)d %(method)s %(route)s %(milliseconds).1f ms"
        " %(address)s %(user_id)s %(request_id)s",
        values,
        extra=logs.fields(**values),
    )


def _record(handler: BaseHandler, journal: Journal, status: int, milliseconds: float) -> None:
    """Add the request to the journal of a test backend."""
    request = handler.request
    caller = handler.admission.caller if handler.admission else None
    query = "&".join(part for part in request.query.split("&") if not part.startswith("token="))
    journal.add(
        request.body,
        kind="request",
        user_id=caller.user.id if caller else None,
        method=request.method,
        path=without_prefix(request.path),
        query=query,
        status=status,
        request_id=handler.request_id,
        milliseconds=round(milliseconds, 1),
    )
