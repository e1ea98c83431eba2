"""A relay forwards every event, and returns what the delegate returns."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tornado.concurrent import Future
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine

from web.relay import Relay


class Noting(HTTPMessageDelegate):
    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.waiting: dict[str, Awaitable[None]] = {"headers": Future(), "data": Future()}

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Awaitable[None]:
        self.calls.append((start_line, headers))
        return self.waiting["headers"]

    def data_received(self, chunk: bytes) -> Awaitable[None]:
        self.calls.append(chunk)
        return self.waiting["data"]

    def finish(self) -> None:
        self.calls.append("finish")

    def on_connection_close(self) -> None:
        self.calls.append("close")


async def test_everything_is_passed_on() -> None:
    delegate = Noting()
    relay = Relay(delegate)
    start, headers = RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders()
    assert relay.headers_received(start, headers) is delegate.waiting["headers"]
    assert relay.data_received(b"chunk") is delegate.waiting["data"]
    relay.finish()
    relay.on_connection_close()
    assert delegate.calls == [(start, headers), b"chunk", "finish", "close"]
