"""The route tables: access, request bodies and responses of each row.

`route`, `account_routes` and `openai_routes` are parts of the same table.
"""

from __future__ import annotations

import re

import pytest

import schemas
from handlers import routes
from handlers.account_routes import ACCOUNTS
from handlers.openai_routes import OPENAI
from handlers.route import Route
from web.base import BaseHandler
from web.operations import Access

EVERY = (*routes.API, *routes.AROUND)
WITHOUT_A_CREDENTIAL = {
    "/auth/register",
    "/auth/login",
    "/auth/refresh",
    "/auth/exchange",
    "/auth/registration",
    "/brand",
    "/openapi.json",
    "/ws",  # the handshake can't carry a header; the handler asks for a token
}


def test_a_path_stands_once() -> None:
    paths = [route.path for route in EVERY]
    assert len(set(paths)) == len(paths)
    assert {route.path for route in (*ACCOUNTS, *OPENAI)} <= {*paths}


@pytest.mark.parametrize("route", EVERY, ids=lambda route: route.path)
def test_a_row(route: Route) -> None:
    assert route.path.startswith("/")
    assert issubclass(route.handler, BaseHandler)
    assert route.operations.keys() <= {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for method, operation in route.operations.items():
        assert operation.summary[0].isupper()
        assert not operation.summary.endswith(".")
        assert hasattr(route.handler, method.lower())
        for name in (operation.body, operation.response, *(m.schema for m in operation.more)):
            assert name is None or name in schemas.SCHEMAS, name
        if operation.status == 204:
            assert operation.response is None


def test_only_the_entrance_is_open() -> None:
    opened = {
        route.path
        for route in routes.API
        for operation in route.operations.values()
        if operation.access is Access.OPEN
    }
    assert opened == WITHOUT_A_CREDENTIAL


def test_lists_are_paged() -> None:
    for route in routes.API:
        for operation in route.operations.values():
            if re.search(r"_page\Z", operation.response or ""):
                assert operation.parameters[:2] == ("limit", "offset"), route.path


def test_administration_needs_an_admin_with_a_session() -> None:
    for route in routes.API:
        if route.path.startswith("/settings/admin"):
            assert {o.access for o in route.operations.values()} == {Access.ADMIN}


def test_an_unknown_path_has_no_operation() -> None:
    assert routes.NONE.operations == {}
