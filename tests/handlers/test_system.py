"""Health, metrics and the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Client, Clock
from tests.handlers.raw import raw


async def test_health(anyone: Client, clock: Clock) -> None:
    clock.advance(5)
    answer = await anyone("GET /health")
    assert answer.status == 200
    assert list(answer.body) == ["status", "version", "database", "uptime"]
    assert (answer.body["status"], answer.body["database"]) == ("ok", "connected")
    assert (answer.body["version"], answer.body["uptime"]) == ("1.2.3", 5)


async def test_health_of_a_database_that_cannot_be_written(base_url: str, rooms: Any) -> None:
    await rooms.db.write(lambda c: c.execute("PRAGMA query_only = ON").fetchone())
    status, _, body = await raw(base_url, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert " 503 " in status
    health = json.loads(body)
    assert (health["status"], health["database"]) == ("degraded", "unavailable")


async def test_metrics_are_disabled_by_default(ada: Client) -> None:
    answer = await ada("GET /metrics")
    assert answer.error == "404 not_found"
    assert "without metrics" in answer.details


@pytest.mark.flags("--metrics")
async def test_metrics_have_the_type_that_prometheus_wants(ada: Client) -> None:
    answer = await ada("GET /metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"quillium_sockets 0.0" in answer.raw


async def test_the_description_has_the_version(anyone: Client) -> None:
    answer = await anyone("GET /openapi.json")
    assert json.loads(answer.raw)["info"]["version"] == "1.2.3"
