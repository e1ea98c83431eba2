"""A request's admission: its operation, client address and origin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from core.records import Client
from web.admission import Admission, allowed_methods
from web.operations import Access, Operation

GET = Operation("Read", Access.OPEN, response=None)
POST = Operation("Write", Access.USER, response=None)


def admission(
    method: str = "GET", headers: dict[str, str] | None = None, *, trusted_proxy: bool = False
) -> Admission:
    context = SimpleNamespace(remote_ip="127.0.0.1", protocol="http")
    connection: Any = SimpleNamespace(context=context)
    services: Any = SimpleNamespace(config=SimpleNamespace(trusted_proxy=trusted_proxy))
    request = HTTPServerRequest(
        headers=HTTPHeaders({"Host": "chat.example:8080", **(headers or {})}),
        connection=connection,
        start_line=RequestStartLine(method, "/", "HTTP/1.1"),
    )
    return Admission(request, services, {"GET": GET, "POST": POST}, request_id="req_1")


@pytest.mark.parametrize(
    ("method", "operation"),
    [("GET", GET), ("HEAD", GET), ("POST", POST), ("DELETE", None), ("OPTIONS", None)],
)
def test_head_is_the_operation_of_get(method: str, operation: Operation | None) -> None:
    assert admission(method).operation is operation


def test_the_client_of_a_request() -> None:
    made = admission("GET", {"User-Agent": "x" * 201})
    assert made.client == Client("127.0.0.1", "x" * 200, "req_1")
    assert admission().client.user_agent == ""


def test_only_a_trusted_proxy_is_believed() -> None:
    sent = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    direct, behind = admission("GET", sent), admission("GET", sent, trusted_proxy=True)
    assert (direct.client_address, behind.client_address) == ("127.0.0.1", "192.0.2.7")
    assert direct.own_origin == "http://chat.example:8080"
    assert behind.own_origin == "https://chat.example:8080"


@pytest.mark.parametrize(
    ("operations", "allowed"),
    [
        ({}, "OPTIONS"),
        ({"GET": GET}, "GET, HEAD, OPTIONS"),
        ({"POST": POST, "DELETE": POST}, "DELETE, OPTIONS, POST"),
    ],
)
def test_allow(operations: dict[str, Operation], allowed: str) -> None:
    assert allowed_methods(operations) == allowed
