"""`/openai/v1`: responses to tools made for OpenAI's API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient

from assistant import PromptMessage
from assistant.events import Text
from core.errors import ModelRefused, ModelTimeout
from handlers import openai

Client = Any
COMPLETE = "POST /openai/v1/chat/completions"
HELLO = {"model": "quillium-demo", "messages": [{"role": "user", "content": "My name is Ada."}]}


def chunks(raw: bytes) -> list[Any]:
    """The chunks of a stream; the last one is `[DONE]` if it says so."""
    events = [event.removeprefix("data: ") for event in raw.decode().split("\n\n") if event]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


def text_of(parts: list[Any]) -> str:
    deltas = [part["choices"][0]["delta"] for part in parts if part.get("choices")]
    return "".join(delta.get("content", "") for delta in deltas)


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch, rooms: Any) -> Any:
    """Has the built-in model say pieces, or raise what stands among them; what it was told."""
    heard: list[list[PromptMessage]] = []

    def script(*pieces: Any) -> list[list[PromptMessage]]:
        async def reply(messages: list[PromptMessage], model: str) -> Any:
            heard.append(list(messages))
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield Text(piece)

        provider, _ = rooms.directory.resolve("quillium-demo", None)
        monkeypatch.setattr(provider, "reply", reply)
        return heard

    return script


async def call(client: Client, port: int, stream: bool) -> IOStream:
    """A connection over which an answer was asked for and not read."""
    body = json.dumps({**HELLO, "stream": stream}).encode()
    caller = await TCPClient().connect("127.0.0.1", port)
    head = (
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {client.credential}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    await caller.write(head.encode() + body)
    return caller


async def test_an_answer(ada: Client) -> None:
    answer = await ada(COMPLETE, HELLO)
    assert answer.status == 200
    assert answer.headers["X-RateLimit-Remaining"] == "99"
    (choice,) = answer.body["choices"]
    assert choice["message"]["content"] == "Nice to meet you, Ada! I will remember your name."
    usage = answer.body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 2
    again: Any = {**HELLO, "messages": [*HELLO["messages"], choice["message"]]}
    again["messages"].append({"role": "user", "content": [{"type": "text", "text": "What is my "},
                                                          {"type": "text", "text": "name?"}]})  # fmt: skip
    remembered = (await ada(COMPLETE, again)).body["choices"][0]["message"]["content"]
    assert "Ada" in remembered
    assert (await ada("GET /chats")).body["pagination"]["total"] == 0  # nothing is stored


async def test_a_stream(ada: Client) -> None:
    asked = {**HELLO, "stream": True}
    answer = await ada(COMPLETE, asked)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    parts = chunks(answer.raw)
    assert parts[-1] == "[DONE]"
    assert text_of(parts[:-1]) == "Nice to meet you, Ada! I will remember your name."
    assert parts[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all("role" not in part["choices"][0]["delta"] for part in parts[1:-1])
    assert parts[-2]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert len({part["id"] for part in parts[:-1]}) == 1
    assert {part["object"] for part in parts[:-1]} == {"chat.completion.chunk"}
    counted = await ada(COMPLETE, {**asked, "stream_options": {"include_usage": True}})
    last = chunks(counted.raw)[-2]
    assert last["choices"] == []
    assert last["usage"] == (await ada(COMPLETE, HELLO)).body["usage"]


async def test_models(ada: Client) -> None:
    listed = (await ada("GET /openai/v1/models")).body
    assert listed["object"] == "list"
    assert [(model["id"], model["owned_by"]) for model in listed["data"]] == [
        ("quillium-demo", "built-in")
    ]


async def test_a_model_that_nobody_serves_is_answered_by_the_default(ada: Client) -> None:
    assert (await ada(COMPLETE, {**HELLO, "model": "gpt-4"})).body["model"] == "quillium-demo"


async def test_who_may_call(anyone: Client, ada: Client) -> None:
    key = (await ada("POST /users/api-key", {})).body["api_key"]
    assert (await anyone.with_credential(key)(COMPLETE, HELLO)).status == 200
    for client, code in ((anyone, "unauthorized"), (ada.with_credential("qk_x"), "invalid_token")):
        for operation, body in ((COMPLETE, HELLO), ("GET /openai/v1/models", None)):
            answer = await client(operation, body)
            assert answer.error == f"401 {code}"
            assert answer.body["error"]["type"] == "authentication_error"


async def test_it_is_counted_with_the_rest(ada: Client) -> None:
    await ada("PUT /settings/admin", {"rate_limit_per_minute": 3})
    assert (await ada(COMPLETE, HELLO)).status == 200
    assert (await ada("GET /users/me")).status == 200
    refused = await ada(COMPLETE, HELLO)
    assert refused.error == "429 rate_limited"
    assert refused.body["error"]["type"] == "rate_limit_error"
    assert int(refused.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": []}, "messages: expected one message or more, at most 10,000"),
        ({"messages": ["Hello"]}, "messages.0: a string, expected an object"),
        ({"messages": None}, "messages: null, expected a list"),
        ({"model": None}, "model: null, expected a string"),
        ({"stream": "yes"}, "stream: a string, expected true or false or null"),
    ],
)  # fmt: skip
async def test_what_is_refused(ada: Client, changes: dict[str, Any], message: str) -> None:
    answer = await ada(COMPLETE, {**HELLO, **changes})
    assert answer.error == "400 invalid_request"
    assert answer.body["error"] == {
        "message": f"The request was invalid: {message}",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request",
    }


async def test_what_other_servers_want_is_taken(ada: Client) -> None:
    more = {"temperature": 0.2, "max_tokens": 5, "stop": ["x"], "tools": [], "n": 1, "user": "u",
            "response_format": {"type": "text"}, "stream": None, "stream_options": None,
            "logprobs": False, "metadata": {"a": "b"}, "store": False, "prompt_cache_key": "k",
            "parallel_tool_calls": True, "made_up": [{}], "functions": [], "seed": 7}  # fmt: skip
    assert (await ada(COMPLETE, {**HELLO, **more})).status == 200


async def test_the_admins_system_prompt_is_for_those_who_bring_none(ada: Client, says: Any) -> None:
    heard = says("Yes.")
    await ada("PUT /settings/admin", {"system_prompt": "Be brief."})
    await ada(COMPLETE, HELLO)
    own = [{"role": "developer", "content": "Be long."}, {"role": "assistant", "content": None}]
    await ada(COMPLETE, {**HELLO, "messages": own})
    assert heard == [
        [PromptMessage("system", "Be brief."), PromptMessage("user", "My name is Ada.")],
        [PromptMessage("system", "Be long."), PromptMessage("assistant", "")],
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "status", "type"),
    [
        (ModelRefused("No."), 400, "invalid_request_error"),
        (ModelTimeout("Slow."), 504, "server_error"),
        (RuntimeError("a bug"), 500, "server_error"),
    ],
)
async def test_a_model_that_fails_at_once(
    ada: Client, says: Any, stream: bool, failure: Exception, status: int, type: str
) -> None:
    says(failure)
    answer = await ada(COMPLETE, {**HELLO, "stream": stream})
    assert (answer.status, answer.body["error"]["type"]) == (status, type)
    assert "a bug" not in str(answer.body)


async def test_a_model_that_fails_half_way(ada: Client, says: Any) -> None:
    for failure, code in ((ModelTimeout("Slow."), "model_timeout"), (KeyError(), "internal_error")):
        says("Half", failure)
        *parts, last = chunks((await ada(COMPLETE, {**HELLO, "stream": True})).raw)
        assert text_of(parts) == "Half"
        assert last["error"]["code"] == code
    says("Half", ModelTimeout("Slow."))
    assert (await ada(COMPLETE, HELLO)).error == "504 model_timeout"


@pytest.mark.parametrize("stream", [False, True])
async def test_who_hangs_up_ends_the_work(
    ada: Client, rooms: Any, http_server: Any, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    has_begun, has_ended = asyncio.Event(), asyncio.Event()

    async def reply(messages: list[PromptMessage], model: str) -> Any:
        try:
            yield Text("Once")
            has_begun.set()
            await asyncio.Event().wait()
        finally:
            has_ended.set()

    provider, _ = rooms.directory.resolve("quillium-demo", None)
    monkeypatch.setattr(provider, "reply", reply)
    caller = await call(ada, http_server.port, stream)
    await has_begun.wait()
    caller.close()
    await has_ended.wait()


async def test_a_server_that_goes_down_says_so(ada: Client, rooms: Any) -> None:
    slow = [{"role": "user", "content": "/slow 1"}]
    asking = asyncio.ensure_future(ada(COMPLETE, {**HELLO, "messages": slow}))
    while not rooms.completions._under_way:
        await asyncio.sleep(0)
    rooms.completions.drain()
    assert (await asking).error == "503 shutting_down"
    assert not rooms.completions._under_way


async def test_a_caller_that_does_not_read_is_let_go(
    ada: Client, rooms: Any, http_server: Any, says: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "PATIENCE_SECONDS", 0.1)
    says(*["x" * 1_000_000] * 20)
    caller = await call(ada, http_server.port, True)
    await caller.read_until(b"\r\n\r\n")
    while rooms.completions._under_way:
        await asyncio.sleep(0)
    with pytest.raises(StreamClosedError):
        await caller.read_until(b"[DONE]")
