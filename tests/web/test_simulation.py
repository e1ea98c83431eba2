"""`--dev`: simulating failures for a front end (contract, section 10)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from core.errors import InvalidRequest, NotFound
from web.simulation import Simulation, simulated

Client = Any

dev = pytest.mark.flags("--dev")


def header(value: str) -> dict[str, str]:
    return {"X-Quillium-Simulate": value}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("status=400", "400 invalid_request"),
        ("status=401", "401 unauthorized"),
        ("status=404", "404 not_found"),
        ("status=409", "409 conflict"),
        ("status=500", "500 internal_error"),
        ("status=503", "503 storage_unavailable"),
        ("token_expired", "401 token_expired"),
        ("rate_limited", "429 rate_limited"),
        ("latency=1, status=503", "503 storage_unavailable"),
        ("status=418", "400 invalid_request"),
        ("sunshine", "400 invalid_request"),
        ("latency=soon", "400 invalid_request"),
        ("code=quota_exceeded", "403 quota_exceeded"),
        ("code=nonsense", "400 invalid_request"),
        ("status=503,status=500", "400 invalid_request"),
        ("status=503,drop", "400 invalid_request"),
        ("drop,status=503", "400 invalid_request"),
        ("drop_after=3", "400 invalid_request"),
    ],
)
@dev
async def test_errors(ada: Client, asked: str, error: str) -> None:
    answer = await ada("POST /chats", {}, headers=header(asked))
    assert answer.error == error
    if error != "400 invalid_request":
        assert answer.details == "This error was simulated."
    if error.startswith("429"):
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["X-RateLimit-Limit"] == "100"
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert int(answer.headers["X-RateLimit-Reset"]) > 0
    assert (await ada("GET /chats")).body["pagination"]["total"] == 0  # nothing was done


@dev
async def test_what_can_be_asked_for_is_named(ada: Client) -> None:
    answer = await ada("GET /chats", headers=header("sunshine"))
    assert "sunshine is not one of latency=MS, status=STATUS" in answer.details
    assert "400, 401, 403" in answer.details


@dev
async def test_nothing_that_was_not_asked_for(ada: Client) -> None:
    assert (await ada("GET /chats", headers=header("latency=1"))).status == 200
    assert (await ada("GET /chats", headers=header(""))).status == 200
    preflight = await ada("OPTIONS /chats", headers=header("status=500"))
    assert preflight.status == 204
    assert "X-Quillium-Simulate" in preflight.headers["Access-Control-Allow-Headers"]


@dev
async def test_latency_holds_up_one_request_alone(ada: Client) -> None:
    slow = asyncio.ensure_future(ada("GET /chats", headers=header("latency=60000")))
    assert (await ada("GET /chats")).status == 200
    assert not slow.done()
    slow.cancel()


@dev
async def test_a_connection_that_breaks(ada: Client) -> None:
    with pytest.raises(HTTPStreamClosedError):
        await ada("GET /chats", headers=header("drop"))
    assert (await ada("GET /chats")).status == 200


@dev
async def test_a_socket_that_breaks_after_some_frames(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket(simulate="drop_after=2")
    await ada("POST /chats/{id}/messages", {"content": "Hello"}, id=chat)
    assert await socket.closed() is None  # nobody said why
    assert len(socket.frames) == 2
    at_once = await ada.socket(simulate="drop_after=0")
    assert (await at_once.closed(), at_once.frames) == (None, [])


@dev
async def test_a_socket_whose_token_has_expired(ada: Client) -> None:
    socket = await ada.socket(simulate="token_expired")
    assert await socket.closed() == 4401
    assert socket.connection.close_reason == "token_expired"
    assert [frame["data"]["code"] for frame in socket.frames] == ["token_expired"]


async def test_without_dev_it_is_ignored(ada: Client) -> None:
    assert (await ada("GET /chats", headers=header("status=500"))).status == 200
    assert (await ada("GET /chats", headers=header("sunshine"))).status == 200
    socket = await ada.socket(simulate="drop_after=0")
    await ada("POST /chats/{id}/messages", {"content": "Hello"}, id=await ada.chat())
    assert await socket.reply()


def test_what_is_read() -> None:
    assert simulated("") == Simulation()
    read = simulated(" drop , latency=250,drop_after=3 ", is_socket=True)
    assert read == Simulation(seconds=0.25, drop=True, drop_after=3)
    assert isinstance(simulated("status=404").error, NotFound)
    with pytest.raises(InvalidRequest):
        simulated("latency=9999999")
