"""`/openai/v1` forwards requests and responses of providers unchanged."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient

from handlers import openai
from tests.assistant.dialects.hosted import OPENAI
from tests.assistant.upstream import Caller, Script, upstream
from tests.conftest import Client

CHAT = "POST /openai/v1/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]}
KEY = "sk-a-secret-of-the-provider"


async def configure(ada: Client, base_url: str, **more: Any) -> None:
    provider = {"name": "Mine", "base_url": base_url, "models": ["m", "org/m:free"],
                "api_key": KEY, **more}  # fmt: skip
    answer = await ada("PUT /settings/admin", {"providers": [provider]})
    assert answer.status == 200, answer.body


def says(status: str, body: bytes, *headers: str, type: str = "application/json") -> Script:
    async def script(caller: Caller) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {type}", f"Content-Length: {len(body)}"]
        await caller.raw("\r\n".join([*lines, *headers, "", ""]).encode() + body)

    return script


def asked_of(callers: list[Caller]) -> Caller:
    """The one caller that asked a model."""
    (caller,) = [caller for caller in callers if caller.path.startswith("POST")]
    return caller


def noting(script: Script, callers: list[Caller]) -> Script:
    async def note(caller: Caller) -> None:
        callers.append(caller)
        await script(caller)

    return note


async def connect(client: Client, port: int, body: dict[str, Any]) -> IOStream:
    """A connection over which an answer was asked for and not read."""
    sent = json.dumps(body).encode()
    stream = await TCPClient().connect("127.0.0.1", port)
    head = (
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {client.credential}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    await stream.write(head.encode() + sent)
    return stream


EVERYTHING = {
    "temperature": 0, "top_p": 0.5, "n": 2, "stop": ["a", "b"], "seed": 7, "max_tokens": 32_000,
    "logprobs": True, "top_logprobs": 3, "user": "u", "metadata": {"a": "b"}, "store": False,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False,
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
    "stream_options": {"include_usage": True}, "prompt_cache_key": "k", "made_up": [None, 1.5],
    "reasoning_effort": "high", "functions": [], "service_tier": "auto",
}  # fmt: skip
MESSAGES: list[Any] = [
    {"role": "developer", "content": "Be brief."},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "18"},
    {"role": "user", "name": "ada", "content": [
        {"type": "text", "text": "🪶"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
    {"role": "user", "content": ""},
]  # fmt: skip


async def test_the_request_goes_there_as_it_came(ada: Client) -> None:
    callers: list[Caller] = []
    answer = json.dumps({"id": "x", "choices": [], "usage": {}, "more": [1]}).encode()
    async with upstream(noting(says("200 OK", answer), callers)) as base_url:
        await configure(ada, base_url, max_tokens=5, context_window=256)
        request = {"model": "m", "messages": MESSAGES, **EVERYTHING}
        got = await ada(CHAT, request)
        assert got.raw == answer
        assert asked_of(callers).body == request
        assert asked_of(callers).headers["authorization"] == f"Bearer {KEY}"


async def test_what_the_admin_adds(ada: Client) -> None:
    callers: list[Caller] = []
    async with upstream(noting(says("200 OK", b"{}"), callers)) as base_url:
        await configure(ada, base_url, extra_body={"provider": {"a": 1}, "temperature": 0})
        await ada("PUT /settings/admin", {"system_prompt": "Be brief."})
        await ada(CHAT, {**ASKED, "temperature": 1})
    body = asked_of(callers).body
    assert (body["provider"], body["temperature"]) == ({"a": 1}, 1)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, *ASKED["messages"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", ASKED),
        ("completions", {"model": "m", "prompt": ["a", "b"], "suffix": "c"}),
        ("embeddings", {"model": "m", "input": [[1, 2], [3]], "encoding_format": "base64"}),
        ("responses", {"model": "m", "input": "Hello?", "previous_response_id": "resp_1"}),
    ],
)
async def test_each_endpoint_is_passed_on(ada: Client, path: str, body: dict[str, Any]) -> None:
    callers: list[Caller] = []
    async with upstream(noting(says("200 OK", b'{"as": "received"}'), callers)) as base_url:
        await configure(ada, base_url)
        answer = await ada(f"POST /openai/v1/{path}", body)
    assert answer.body == {"as": "received"}
    assert asked_of(callers).path == f"POST /v1/{path} HTTP/1.1"
    assert asked_of(callers).body == body


async def test_a_stream_comes_back_as_received(ada: Client) -> None:
    for body in (OPENAI, OPENAI.replace(b"\n", b"\r\n"), OPENAI[:-1], b": comment\n\n" + OPENAI):

        async def script(caller: Caller, body: bytes = body) -> None:
            await caller.begin()
            for start in range(0, len(body), 13):
                await caller.chunk(body[start : start + 13])
            await caller.end()

        async with upstream(script) as base_url:
            await configure(ada, base_url)
            answer = await ada(CHAT, {**ASKED, "stream": True})
        assert answer.raw == body
        assert answer.headers["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("429 No", {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit"}},
         {"message": "slow down", "type": "tokens", "code": "rate_limit", "param": None}),
        ("400 No", {"error": {"message": "bad", "param": "tools", "code": 400, "more": [1]}},
         {"message": "bad", "type": "invalid_request_error", "param": "tools", "code": 400,
          "more": [1]}),
        ("422 No", {"detail": [{"loc": ["body", "n"], "msg": "no"}]},
         {"message": "body.n: no", "type": "invalid_request_error", "param": None, "code": None}),
        ("404 No", b"<title>404 Not Found</title>",
         {"message": "404 Not Found", "type": "invalid_request_error",
          "param": None, "code": None}),
        ("401 No", {"error": {"message": f"Incorrect API key: {KEY}"}},
         {"message": "Incorrect API key: …", "type": "authentication_error", "param": None,
          "code": None}),
        ("503 No", [{"error": {"message": "overloaded"}}],
         {"message": "overloaded", "type": "server_error", "param": None, "code": None}),
        ("500 No", b"", {"message": "The model's server gave no reason.", "type": "server_error",
         "param": None, "code": None}),
    ],
)  # fmt: skip
async def test_errors_come_back_as_received(
    ada: Client, stream: bool, status: str, body: Any, error: dict[str, Any]
) -> None:
    callers: list[Caller] = []
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    script = says(status, raw, "Retry-After: 7", "retry-after-ms: 7000", "Set-Cookie: x=y",
                  "x-ratelimit-remaining-tokens: 3", "x-should-retry: false")  # fmt: skip
    async with upstream(noting(script, callers)) as base_url:
        await configure(ada, base_url)
        answer = await ada(CHAT, {**ASKED, "stream": stream})
    assert answer.status == int(status[:3])
    assert answer.body["error"] == error
    assert (answer.headers["Retry-After"], answer.headers["retry-after-ms"]) == ("7", "7000")
    assert answer.headers["x-ratelimit-remaining-tokens"] == "3"
    assert answer.headers["x-should-retry"] == "false"
    assert "Set-Cookie" not in answer.headers
    assert KEY.encode() not in answer.raw
    asked_of(callers)  # once: a retry is the caller's business


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_is_not_there(ada: Client, stream: bool) -> None:
    await configure(ada, "http://127.0.0.1:9/v1")
    answer = await ada(CHAT, {**ASKED, "stream": stream})
    assert answer.error == "502 model_unavailable"
    async with upstream(says("302 Found", b"", "Location: http://127.0.0.1:9/")) as base_url:
        await configure(ada, base_url)
        assert (await ada(CHAT, {**ASKED, "stream": stream})).error == "502 model_unavailable"


async def test_the_header_goes_out_at_once(
    ada: Client, http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "HEADER_SECONDS", 3_600)
    may_go_on = asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await caller.begin()
            await may_go_on.wait()
            await caller.chunk(OPENAI)
            await caller.end()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        stream = await connect(ada, http_server.port, {**ASKED, "stream": True})
        head = await stream.read_until(b"\r\n\r\n")
        assert b"200 OK" in head
        assert b"text/event-stream" in head
        may_go_on.set()
        await stream.read_until(b"[DONE]")
        stream.close()


async def test_a_silent_provider(
    ada: Client, http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header goes out although there is none of the provider's, and comments follow."""
    monkeypatch.setattr(openai, "HEADER_SECONDS", 0.01)
    monkeypatch.setattr(openai, "COMMENT_SECONDS", 0.01)
    for body, told in (
        (says("429 No", b'{"error": {"message": "slow down"}}'), b"slow down"),
        (says("200 OK", OPENAI, type="text/event-stream"), b'"lo"'),
        (says("200 OK", b'{"choices": [{"message": {"content": "All"}}]}'), b'"content": "All"'),
        (says("200 OK", b'{"oops": 1}'), b"error"),
    ):
        may_answer = asyncio.Event()

        async def script(
            caller: Caller, body: Script = body, may_answer: asyncio.Event = may_answer
        ) -> None:
            if caller.path.startswith("POST"):
                await may_answer.wait()
                await body(caller)

        async with upstream(script) as base_url:
            await configure(ada, base_url)
            stream = await connect(ada, http_server.port, {**ASKED, "stream": True})
            await stream.read_until(b": keep-alive\n\n\r\n")
            await stream.read_until(b": keep-alive\n\n\r\n")
            may_answer.set()
            assert b"data: " in await stream.read_until(told)
            stream.close()


async def test_a_comment_never_cuts_an_event(
    ada: Client, http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "COMMENT_SECONDS", 0.01)
    go_on = asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await caller.begin()
            await caller.chunk(OPENAI[:40])
            await go_on.wait()
            await caller.chunk(OPENAI[40:])
            await caller.end()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        stream = await connect(ada, http_server.port, {**ASKED, "stream": True})
        before = await stream.read_until(b": keep-alive")
        assert OPENAI[:9] not in before
        go_on.set()
        await stream.read_until(OPENAI)
        stream.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_who_hangs_up_cancels_the_work_there(
    ada: Client, http_server: Any, stream: bool
) -> None:
    has_begun, hung_up = asyncio.Event(), asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            has_begun.set()
            if stream:
                await caller.begin()
                await caller.event(content="Hel")
            await caller.wait_for_close()
            hung_up.set()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        connection = await connect(ada, http_server.port, {**ASKED, "stream": stream})
        await has_begun.wait()
        connection.close()
        await hung_up.wait()


async def test_a_stream_that_breaks_off_ends_with_an_error(ada: Client) -> None:
    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await caller.begin()
            await caller.event(content="Hel")
            await caller.chunk(b'data: {"choi')
            caller.close()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        raw = (await ada(CHAT, {**ASKED, "stream": True})).raw
    *_, last = [event for event in raw.split(b"\n\n") if event]
    assert b'"Hel"' in raw
    assert b'"code": "model_unavailable"' in last
    assert b"[DONE]" not in raw


async def test_a_server_that_shuts_down_says_so_in_the_stream(ada: Client, rooms: Any) -> None:
    begun = asyncio.Event()

    async def script(caller: Caller) -> None:
        if caller.path.startswith("POST"):
            await caller.begin()
            await caller.event(content="Hel")
            begun.set()
            await caller.wait_for_close()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        asking = asyncio.ensure_future(ada(CHAT, {**ASKED, "stream": True}))
        await begun.wait()
        while not rooms.completions._under_way:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        rooms.completions.drain()
        raw = (await asking).raw
    assert b"shutting_down" in raw


async def test_a_long_answer_is_not_kept_in_memory(ada: Client) -> None:
    size = 5 << 20
    body = b'{"data": "' + b"x" * size + b'"}'
    async with upstream(says("200 OK", body)) as base_url:
        await configure(ada, base_url)
        answer = await ada("POST /openai/v1/embeddings", {"model": "m", "input": "x"})
    assert answer.raw == body


async def test_bodies_of_20_mib(ada: Client) -> None:
    callers: list[Caller] = []
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * (19 << 20)}}
    request = {"model": "m", "messages": [{"role": "user", "content": [image]}]}
    async with upstream(noting(says("200 OK", b"{}"), callers)) as base_url:
        await configure(ada, base_url)
        assert (await ada(CHAT, request)).status == 200
        assert asked_of(callers).body == request
        image["image_url"]["url"] += "A" * (2 << 20)  # type: ignore[index]
        refused = await ada(CHAT, request)
    assert refused.error == "413 payload_too_large"
    assert "20,971,520" in refused.body["error"]["message"]


async def test_responses_are_bridged_where_the_provider_has_none(ada: Client) -> None:
    paths: list[str] = []

    async def script(caller: Caller) -> None:
        paths.append(caller.path.split()[1])
        if caller.path.startswith("POST /v1/responses"):
            await caller.respond("404 Not Found", b'{"detail": "Not Found"}')
        elif caller.path.startswith("POST"):
            await caller.begin()
            await caller.chunk(OPENAI)
            await caller.end()

    async with upstream(script) as base_url:
        await configure(ada, base_url)
        for _ in range(2):
            answer = (await ada("POST /openai/v1/responses", {"model": "m", "input": "Hi"})).body
            assert answer["output"][0]["content"][0]["text"] == "Hello"
            assert answer["usage"]["total_tokens"] == 11
    assert paths.count("/v1/responses") == 1  # it is known from then on
    unknown = says("404 No", b'{"error": {"message": "The model `m` does not exist"}}')
    async with upstream(unknown) as base_url:
        await configure(ada, base_url)
        refused = await ada("POST /openai/v1/responses", {"model": "m", "input": "Hi"})
    assert (refused.status, refused.body["error"]["code"]) == (404, None)


async def test_models_of_a_provider(ada: Client) -> None:
    await configure(ada, "http://127.0.0.1:9/v1", context_window=4096)
    for path in ("org/m:free", "org%2Fm:free", "org%2fm%3Afree"):
        found = (await ada("GET /openai/v1/models/{model}".replace("{model}", path))).body
        assert (found["id"], found["owned_by"], found["context_window"]) == (
            "org/m:free",
            "Mine",
            4096,
        )
    assert (await ada("GET /openai/v1/models/nope")).error == "404 not_found"
    assert (await ada("GET /openai/v1/models/quillium-demo")).body["id"] == "quillium-demo"


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("GET /openai/v1/nothing", "404 not_found"),
        ("POST /openai/v1/images/generations", "404 not_found"),
        ("GET /openai/", "404 not_found"),
        ("GET /openai/v1/chat/completions", "405 method_not_allowed"),
        ("DELETE /openai/v1/models/m", "405 method_not_allowed"),
        ("PATCH /openai/v1/models", "405 method_not_allowed"),
    ],
)
async def test_every_error_has_openais_form(ada: Client, operation: str, error: str) -> None:
    answer = await ada(operation, {} if operation.startswith(("POST", "PATCH")) else None)
    assert answer.error == error
    assert set(answer.body["error"]) == {"message", "type", "param", "code"}
    if answer.status == 405:
        assert "OPTIONS" in answer.headers["Allow"]
