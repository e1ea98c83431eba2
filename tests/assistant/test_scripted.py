"""Scripted replies say exactly what a test wants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Client

pytestmark = pytest.mark.flags("--dev")


async def script(client: Client, reply: dict[str, Any], **match: Any) -> None:
    answer = await client("PUT /dev/replies", {"replies": [{"match": match, "reply": reply}]})
    assert answer.status == 200, answer.body


async def test_pieces_reasoning_and_usage(ada: Client) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    reply = {"chunks": ["Hi ", "Ada!"], "reasoning": "A greeting.", "usage": usage}
    await script(ada, {**reply, "finish_reason": "length"}, content="Hello")
    frames = await ada.say(await ada.chat(), "Hello")
    final = frames[-1]["data"]
    assert (final["content"], final["reasoning"]) == ("Hi Ada!", "A greeting.")
    assert (final["finish_reason"], final["usage"]) == ("length", usage)
    deltas = [f["data"]["delta"] for f in frames if f["data"].get("delta")]
    assert "".join(deltas) == "Hi Ada!"


async def test_the_first_match_wins(ada: Client) -> None:
    chat = await ada.chat()
    replies = [
        {"match": {"pattern": "^order \\d+$"}, "reply": {"text": "It is on its way."}},
        {"match": {"model": "big"}, "reply": {"text": "I am big."}},
        {"match": {"content": "order 7"}, "reply": {"text": "never"}},
    ]
    assert (await ada("PUT /dev/replies", {"replies": replies})).body == {"replies": replies}
    assert (await ada.say(chat, "order 7"))[-1]["data"]["content"] == "It is on its way."
    assert (await ada.say(chat, "Hello"))[-1]["data"]["content"].startswith("Hello")
    assert (await ada("DELETE /dev/replies")).status == 204
    assert (await ada("GET /dev/replies")).body == {"replies": []}


async def test_a_reply_that_fails_in_the_middle(ada: Client) -> None:
    reply = {"text": "So far", "error": "model_timeout", "first_after_ms": 1}
    await script(ada, {**reply, "tokens_per_second": 1000})
    final = (await ada.say(await ada.chat(), "Hello"))[-1]["data"]
    assert (final["status"], final["content"]) == ("failed", "So far")
    assert final["error"]["code"] == "model_timeout"


async def test_openai_with_tool_calls(ada: Client) -> None:
    call = {"name": "look_up", "arguments": '{"city": "Rome"}'}
    await script(ada, {"tool_calls": [call]}, content="Weather?")
    body = {
        "model": "quillium-demo",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Weather?"}]}],
    }
    answer = await ada("POST /openai/v1/chat/completions", body)
    (choice,) = answer.body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == call
    streamed = await ada("POST /openai/v1/chat/completions", {**body, "stream": True})
    assert b'"look_up"' in streamed.raw
    request = {"model": "quillium-demo", "input": "Weather?"}
    bridged = await ada("POST /openai/v1/responses", request)
    assert json.dumps(bridged.body).count("look_up") == 1


async def test_a_pattern_that_is_none(ada: Client) -> None:
    wrong = {"replies": [{"match": {"pattern": "("}, "reply": {}}]}
    answer = await ada("PUT /dev/replies", wrong)
    assert answer.error == "400 invalid_request"
    assert "replies.0.match.pattern: missing )" in answer.details
    assert "replies.0.match.pattern" in (await ada("POST /dev/seed", wrong)).details
