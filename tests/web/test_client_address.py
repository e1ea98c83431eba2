"""A client's address and scheme, directly and behind a proxy."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from web.client_address import client_address, client_scheme
from web.connection import Peer


class Connection:
    def __init__(self, address: str) -> None:
        self.context = Peer((address, 1))


def request(socket: str, *lines: str) -> HTTPServerRequest:
    headers = HTTPHeaders({"Host": "localhost"})
    for line in lines:
        headers.add(*line.split(": "))
    return HTTPServerRequest(
        connection=Connection(socket),  # type: ignore[arg-type]
        headers=headers,
        start_line=RequestStartLine("GET", "/", "HTTP/1.1"),
    )


FORGED = ("X-Real-Ip: 198.51.100.1", "X-Scheme: https", "Forwarded: for=198.51.100.1",
          "True-Client-Ip: 198.51.100.1", "Client-Ip: 198.51.100.1", "Via: 198.51.100.1")  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), "192.0.2.1"),
        (FORGED, "192.0.2.1"),
        (("X-Forwarded-For: 203.0.113.5",), "203.0.113.5"),
        (("X-Forwarded-For: 198.51.100.1, 203.0.113.5", *FORGED), "203.0.113.5"),
        (("X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.5"), "203.0.113.5"),
        (("X-Forwarded-For: 2001:DB8:0::5",), "2001:db8::5"),
        (("X-Forwarded-For: ::ffff:203.0.113.5",), "203.0.113.5"),
        (("X-Forwarded-For: unknown",), "192.0.2.1"),
        (("X-Forwarded-For: 203.0.113.5, <script>",), "192.0.2.1"),
        (("X-Forwarded-For: 203.0.113.5,",), "192.0.2.1"),
    ],
)
def test_behind_a_trusted_proxy(lines: tuple[str, ...], expected: str) -> None:
    sent = request("192.0.2.1", *lines)
    assert client_address(sent, is_proxy_trusted=True) == expected
    assert client_address(sent, is_proxy_trusted=False) == "192.0.2.1"


def test_the_address_of_the_socket() -> None:
    assert client_address(request("fe80::1%eth0"), is_proxy_trusted=False) == "fe80::1"
    assert client_address(request("::ffff:192.0.2.1"), is_proxy_trusted=False) == "192.0.2.1"
    assert client_address(request(""), is_proxy_trusted=False) == "unknown"
    assert Peer("").remote_ip == ""  # that of a Unix socket


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), "http"),
        (FORGED, "http"),
        (("X-Forwarded-Proto: https",), "https"),
        (("X-Forwarded-Proto: https, http",), "http"),
        (("X-Forwarded-Proto: HTTPS",), "https"),
        (("X-Forwarded-Proto: javascript",), "http"),
    ],
)
def test_scheme(lines: tuple[str, ...], expected: str) -> None:
    sent = request("192.0.2.1", *lines)
    assert client_scheme(sent, is_proxy_trusted=True) == expected
    assert client_scheme(sent, is_proxy_trusted=False) == "http"
