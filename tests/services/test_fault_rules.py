"""Faults that stay: by request, route, user, n-th call and frame."""

from __future__ import annotations

from typing import Any

import pytest
from tornado.simple_httpclient import HTTPStreamClosedError

from tests.conftest import Client, events
from web.errors import STATUS

pytestmark = pytest.mark.flags("--dev")


async def rule(client: Client, respond: dict[str, Any], **match: Any) -> None:
    answer = await client("PUT /dev/rules", {"rules": [{"match": match, "respond": respond}]})
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("kind", STATUS, ids=lambda kind: kind.code)
async def test_every_code_has_the_headers_of_the_real_error(ada: Client, kind: Any) -> None:
    await rule(ada, {"code": kind.code}, path="/chats")
    simulated = {"X-Quillium-Simulate": ""}  # so that undocumented statuses are expected
    answer = await ada("POST /chats", {}, headers=simulated)
    assert answer.error == f"{STATUS[kind]} {kind.code}"
    assert ("WWW-Authenticate" in answer.headers) == (answer.status == 401)
    assert ("Retry-After" in answer.headers) == (answer.status == 429)
    assert ("X-RateLimit-Reset" in answer.headers) == (answer.status == 429)
    assert ("Allow" in answer.headers) == (answer.status == 405)
    await ada("DELETE /dev/rules")
    assert (await ada("GET /chats")).body["data"] == []  # nothing was done


async def test_what_a_rule_matches(ada: Client, bob: Client) -> None:
    chat = await ada.chat()

    async def statuses(**match: Any) -> list[int]:
        await rule(ada, {"status": 500}, **match)
        return [
            (await ada("GET /chats/{id}", id=chat)).status,
            (await ada("DELETE /chats/{id}/messages", id=chat)).status,
            (await ada("GET /chats/{id}/messages", id=chat)).status,
            (await bob("GET /models")).status,
        ]

    usual = [200, 405, 200, 200]
    assert await statuses(path="/nothing") == usual
    assert await statuses() == [500, 500, 500, 500]
    assert await statuses(path="/chats/{id}") == [500, 405, 200, 200]
    assert await statuses(path=f"/chats/{chat}") == [500, 405, 200, 200]
    assert await statuses(path="/api/v1/chats/{chat_id}") == [500, 405, 200, 200]
    assert await statuses(path="/chats/?*[a-z]") == usual  # only `*` is special
    assert await statuses(path="/chats/*") == [500, 500, 500, 200]
    assert await statuses(path="/chats/*", method="GET") == [500, 405, 500, 200]
    assert await statuses(user="bob@example.com") == [200, 405, 200, 500]
    assert await statuses(user=ada.user["id"]) == [500, 500, 500, 200]
    assert await statuses(nth=2) == [200, 500, 200, 200]
    assert await statuses(times=2) == [500, 500, 200, 200]
    assert await statuses(frame="message") == usual
    listed = (await ada("GET /dev/rules")).body["rules"]
    assert listed[0]["match"] == {"frame": "message"}
    assert (await ada("GET /dev/rules")).body["rules"][0]["calls"] == 0
    assert (await ada("PUT /dev/rules", {"rules": listed})).status == 200  # it can be sent back


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"match": {}}, "rules.0.respond: is required"),
        ({"match": {}, "respond": {"status": 418}}, "rules.0.respond.status: expected one of"),
        ({"match": {"nth": 0}, "respond": {}}, "rules.0.match.nth: expected a number of at least"),
        ({"match": {"url": "/"}, "respond": {}}, "rules.0.match: 'url': unknown field"),
    ],
)
async def test_a_wrong_rule_is_refused(ada: Client, wrong: Any, details: str) -> None:
    answer = await ada("PUT /dev/rules", {"rules": [wrong]})
    assert answer.error == "400 invalid_request"
    assert details in answer.details


async def test_connections_that_break(ada: Client) -> None:
    await rule(ada, {"drop": True, "latency_ms": 1}, path="/chats")
    with pytest.raises(HTTPStreamClosedError):
        await ada("GET /chats")
    await rule(ada, {"retry_after": 7, "code": "rate_limited"}, path="/chats")
    assert (await ada("GET /chats")).headers["Retry-After"] == "7"


async def test_a_stream_that_is_cut(ada: Client) -> None:
    chat = await ada.chat()
    await rule(ada, {"cut_after_events": 2}, path="/chats/{id}/messages", method="POST")
    with pytest.raises(HTTPStreamClosedError):
        await ada.say(chat, "Hello")
    body = {"model": "quillium-demo", "messages": [{"role": "user", "content": "Hello"}]}
    await rule(ada, {"cut_after_events": 1}, path="/openai/v1/chat/completions")
    with pytest.raises(HTTPStreamClosedError):
        await ada("POST /openai/v1/chat/completions", {**body, "stream": True})


async def test_sockets_that_close(ada: Client) -> None:
    chat = await ada.chat()
    await rule(ada, {"close_code": 4999}, path="/ws")
    assert await (await ada.socket()).closed() == 4999
    await rule(ada, {"close_code": 1013, "cut_after_events": 2}, path="/ws")
    socket = await ada.socket()
    await ada("POST /chats/{id}/messages", {"content": "Hello"}, id=chat)
    assert await socket.closed() == 1013
    assert len(socket.frames) == 2
    await rule(ada, {"send_error": "resync_required"}, path="/ws", times=1)
    assert (await (await ada.socket()).until("error"))["code"] == "resync_required"
    await rule(ada, {"code": "token_expired"}, path="/ws")
    assert await (await ada.socket()).closed() == 4401


async def test_frames_twice_and_not_at_all(ada: Client) -> None:
    chat = await ada.chat()
    await rule(ada, {"repeat": True}, path="/ws", times=1)
    twice = await ada.socket()
    await rule(ada, {"is_half_open": True}, path="/ws", times=1)
    silent = await ada.socket()
    await silent.send("message", chat_id=chat, content="lost")
    await twice.send("message", chat_id=chat, content="Hello")
    first, second = await twice.next(), await twice.next()
    assert first == second
    assert first is not None
    assert first["data"]["content"] == "Hello"
    assert silent.frames == []
    listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    assert listed[0]["content"] == "Hello"


async def test_frames_of_a_client(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    await rule(ada, {"send_error": "storage_unavailable"}, frame="message", nth=1)
    await socket.send("message", chat_id=chat, content="Hello", client_id="c1")
    error = await socket.until("error")
    assert (error["code"], error["client_id"]) == ("storage_unavailable", "c1")
    await socket.send("message", chat_id=chat, content="Hello", client_id="c1")
    await socket.reply()
    await rule(ada, {"close_code": 1011}, frame="typing")
    await socket.send("typing", chat_id=chat)
    assert await socket.closed() == 1011
    dropped = await ada.socket()
    await rule(ada, {"drop": True}, frame="typing")
    await dropped.send("typing", chat_id=chat)
    assert await dropped.closed() is None


async def test_a_stream_that_is_not_cut(ada: Client) -> None:
    await rule(ada, {"latency_ms": 1}, path="/chats/{id}/messages")
    assert (await ada.say(await ada.chat(), "Hello"))[-1]["type"] == "message"
    assert events(b"") == []
