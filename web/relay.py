"""A Tornado message delegate that forwards to another one."""

from __future__ import annotations

from collections.abc import Awaitable

from tornado import httputil


class Relay(httputil.HTTPMessageDelegate):
    """Forwards every call. Subclasses inspect or change some of them."""

    def __init__(self, delegate: httputil.HTTPMessageDelegate) -> None:
        self._delegate = delegate

    def headers_received(
        self,
        start_line: httputil.RequestStartLine | httputil.ResponseStartLine,
        headers: httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
