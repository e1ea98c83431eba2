"""OpenAI-compatible servers: their variants and their failures (contract section 8)."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from assistant import PromptMessage
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import MAX_BYTES, Upstream
from core.errors import QuilliumError
from tests.assistant.upstream import Caller, event, upstream

KEY = "sk-abcdefghij0123456789"
Script = Callable[[Caller], Awaitable[None]]


async def ask(
    base_url: str, received: asyncio.Event | None = None, **settings: Any
) -> tuple[str, str, str]:
    """What was said, and code and details of the error, if there was one."""
    provider = OpenAICompatible(Upstream("The Upstream", base_url, KEY, **settings))
    said = ""
    try:
        async for event in provider.reply([PromptMessage("user", "Hello?")], "m"):
            said += event.text if isinstance(event, Text) else ""
            if received is not None:
                received.set()
    except QuilliumError as error:
        return said, error.code, error.details
    return said, "", ""


async def asked(script: Script, **settings: Any) -> tuple[str, str, str]:
    received = asyncio.Event()
    async with upstream(script, received) as base_url:
        return await ask(base_url, received, **settings)


async def test_what_is_asked() -> None:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)
        await caller.begin()
        await caller.event(content="Hi")
        await caller.done()

    async with upstream(script) as base_url:
        provider = OpenAICompatible(Upstream("x", f"{base_url}/", KEY), {"max_tokens": 7})
        lines = [PromptMessage("system", "Be brief."), PromptMessage("user", "🪶?")]
        assert [e.text async for e in provider.reply(lines, "m") if isinstance(e, Text)] == ["Hi"]
    (caller,) = callers
    assert caller.path == "POST /v1/chat/completions HTTP/1.1"
    assert caller.headers["authorization"] == f"Bearer {KEY}"
    assert caller.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "🪶?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
    }


def data(*events: Any, end: str = "\n") -> bytes:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in events]
    return "".join(f"data: {text}{end}{end}" for text in texts).encode()


def choice(delta: Any, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


OPENAI = data(  # a role first, an empty delta with the reason, then the usage without choices
    choice({"role": "assistant", "content": "", "refusal": None}),
    choice({"content": "Hel"}),
    choice({"content": "lo"}),
    choice({}, "stop"),
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    "[DONE]",
)
TWO_LINES = b'data: {"choices": [{"delta":\ndata: {"content": "Hello"}}]}\n\n'
DIALECTS = {
    "OpenAI": OPENAI,
    # The role in every delta, the reason beside an empty content.
    "Ollama": data(
        choice({"role": "assistant", "content": "Hel"}),
        choice({"role": "assistant", "content": "lo"}),
        choice({"role": "assistant", "content": ""}, "stop"),
        "[DONE]",
    ),
    "llama.cpp": data(
        choice({"role": "assistant", "content": None}),
        choice({"content": "Hello"}),
        {**choice({}, "stop"), "timings": {"predicted_n": 2}},
        "[DONE]",
    ),
    "reasoning": data(
        choice({"reasoning_content": "The user greets."}),
        choice({"reasoning": "So do I."}),
        choice({"content": "Hello"}),
        choice({}, "length"),
        "[DONE]",
    ),
    "OpenRouter": b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + OPENAI,
    "carriage returns": OPENAI.replace(b"\n", b"\r\n"),
    "lone carriage returns": OPENAI.replace(b"\n", b"\r"),
    "no space": OPENAI.replace(b"data: ", b"data:"),
    "fields": OPENAI.replace(b"data: ", b"event: message\nid: 7\nretry: 10\ndata: "),
    "garbage between": OPENAI.replace(b"\n\n", b"\n\nnonsense\n\xff\xfe\n\n"),
    "a byte order mark": b"\xef\xbb\xbf" + data(choice({"content": "Hello"}, "stop")),
    "no [DONE]": OPENAI.replace(b"data: [DONE]\n\n", b""),
    "data in two lines": TWO_LINES + data("[DONE]"),
    "data in two lines, CRLF": TWO_LINES.replace(b"\n", b"\r\n") + data("[DONE]", end="\r\n"),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_dialects_at_any_chunk_boundary(name: str, size: int) -> None:
    sent = DIALECTS[name]

    async def script(caller: Caller) -> None:
        await caller.begin()
        for start in range(0, len(sent), size):
            await caller.chunk(sent[start : start + size])
        await caller.end()

    assert await asked(script) == ("Hello", "", "")


async def test_half_a_character_at_each_boundary() -> None:
    text = "🪶 é 日本 \u2028 end"
    escaped = json.dumps(text).encode()  # surrogate pairs, as Python and JavaScript write them
    plain = json.dumps(text, ensure_ascii=False).encode()
    halves = data(choice({"content": "\ud83e"})) + data(choice({"content": "\udeb6"}))
    for content in (escaped, plain):
        sent = b'data: {"choices": [{"delta": {"content": %s}}]}\n\n' % content + data("[DONE]")

        async def script(caller: Caller, sent: bytes = sent) -> None:
            await caller.begin()
            for byte in sent:
                await caller.chunk(bytes([byte]))
            await caller.end()

        assert await asked(script) == (text, "", "")

    async def in_halves(caller: Caller) -> None:
        await caller.begin()
        await caller.chunk(halves)
        await caller.event(content="\ud83e, \0")  # no other half, and what can't be stored
        await caller.event(content="\ud83e")
        await caller.done()

    assert await asked(in_halves) == ("🪶\ufffd, \ufffd\ufffd", "", "")


async def test_a_server_that_does_not_stream() -> None:
    async def script(caller: Caller) -> None:
        answer = {"choices": [{"message": {"role": "assistant", "content": "All at once."}}]}
        await caller.respond("200 OK", json.dumps(answer).encode())

    assert await asked(script) == ("All at once.", "", "")


@pytest.mark.parametrize(
    ("status", "body", "code", "details"),
    [
        ("401 No", {"error": {"message": f"Incorrect API key: {KEY}"}}, "model_refused", "API key"),
        ("403 No", {}, "model_refused", "The Upstream refused the API key (403)."),
        ("404 No", {"error": {"message": "no model m"}}, "model_refused", "(404): no model m"),
        ("400 No", {"error": "bad role"}, "model_refused", "(400): bad role"),
        ("422 No", {"message": "too hot"}, "model_refused", "(422): too hot"),
        ("429 No", {"error": {"message": "slow down"}}, "model_refused", "(429): slow down"),
        ("500 No", {"error": {"message": "oops"}}, "model_unavailable", "failed (500): oops"),
        ("503 No", b"<html>busy</html>", "model_unavailable", "failed (503): busy"),
        ("302 Go", b"", "model_unavailable", "a redirect (302)"),
        ("500 No", {"error": {"message": 7}}, "model_unavailable", "failed (500)."),
        ("500 No", {"error": {"message": "\x1b[31m\n" + "long " * 999}}, "model_unavailable", "…"),
        ("500 No", {"error": {"message": f"your {KEY[:8]}***6789 and {KEY}"}}, "model_un", "your"),
    ],
)
async def test_refusals(status: str, body: Any, code: str, details: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(caller: Caller) -> None:
        await caller.respond(status, raw)

    said, found, told = await asked(script)
    assert said == ""
    assert found.startswith(code)
    assert details in told
    assert KEY[:5] not in told
    assert KEY[-5:] not in told
    assert len(told) < 300
    assert told.isprintable()


async def html(caller: Caller) -> None:
    await caller.respond("200 OK", b"<!doctype html><title>Log in</title>", "text/html")


async def not_json(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.chunk(b"data: {oops\n\n")
    await caller.wait_for_close()


async def cut(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.received.wait()
    caller.close()


async def ended_early(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.end()


async def cut_without_streaming(caller: Caller) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
    await caller.raw(head.encode() + b'{"choices": [')
    caller.close()


async def cut_in_a_character(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.received.wait()
    await caller.chunk('data: {"choices": [{"delta": {"content": "🪶'.encode()[:-2])
    caller.close()


async def failed_within(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.chunk(data({"error": {"message": "out of memory", "code": 500}}))
    await caller.wait_for_close()


async def silent(caller: Caller) -> None:
    await caller.wait_for_close()


async def silent_after_the_head(caller: Caller) -> None:
    await caller.begin()
    await caller.wait_for_close()


async def silent_between(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hel")
    await caller.wait_for_close()


async def no_http(caller: Caller) -> None:
    await caller.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


async def hung_up(caller: Caller) -> None:
    caller.close()


@pytest.mark.parametrize(
    ("script", "said", "code", "details"),
    [
        (html, "", "model_unavailable", "most end in /v1"),
        (not_json, "Hel", "model_unavailable", "most end in /v1"),
        (cut, "Hel", "model_unavailable", "closed the connection"),
        (ended_early, "Hel", "model_unavailable", "closed the connection"),
        (cut_without_streaming, "", "model_unavailable", "closed the connection"),
        (cut_in_a_character, "Hel", "model_unavailable", "closed the connection"),
        (failed_within, "Hel", "model_unavailable", "failed: out of memory"),
        (silent, "", "model_timeout", "sent nothing"),
        (silent_after_the_head, "", "model_timeout", "sent nothing"),
        (silent_between, "Hel", "model_timeout", "sent nothing"),
        (no_http, "", "model_unavailable", ""),
        (hung_up, "", "model_unavailable", ""),
    ],
)
async def test_failures_keep_what_was_said(
    script: Script, said: str, code: str, details: str
) -> None:
    found = await asked(script, first_seconds=0.2, silent_seconds=0.2)
    assert found[:2] == (said, code)
    assert details in found[2]


@pytest.mark.parametrize("key", ["sk-日本語-secret", "sk-line\r\nX-Evil: secret"])
async def test_a_key_that_no_header_can_hold(key: str, caplog: pytest.LogCaptureFixture) -> None:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)

    async with upstream(script) as base_url:
        provider = OpenAICompatible(Upstream("The Upstream", base_url, key))
        with pytest.raises(QuilliumError, match="invalid characters"):
            await provider.models()
        gc.collect()  # when asyncio tells of errors that nobody looked at
        await asyncio.sleep(0)
    assert callers == []
    assert "secret" not in caplog.text


async def test_a_finished_answer_need_not_say_goodbye() -> None:
    async def script(caller: Caller) -> None:
        await caller.begin()
        await caller.event(content="Hello", finish_reason="stop")
        await caller.received.wait()
        caller.close()

    assert await asked(script) == ("Hello", "", "")


async def test_an_endless_answer_is_cut_off() -> None:
    closed = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.begin()
        try:
            while True:
                await caller.event(content="x" * 50_000)
        except ConnectionError:
            closed.set()

    async with upstream(script) as base_url:
        said, code, details = await ask(base_url)
        await closed.wait()
    assert (code, details) == ("model_unavailable", "The Upstream sent more than 8 MiB.")
    assert MAX_BYTES * 0.9 < len(said) < MAX_BYTES


async def test_closing_a_reply_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.begin()
        await caller.event(content="Hel")
        await caller.wait_for_close()
        closed.set()

    async with upstream(script) as base_url:
        reply = OpenAICompatible(Upstream("x", base_url)).reply([PromptMessage("user", "?")], "m")
        assert await anext(reply) == Text("Hel")
        await reply.aclose()
        await closed.wait()


async def test_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    for script in (cut, ended_early, not_json, html, failed_within):
        await asked(script)
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("listed", "windows"),
    [
        ([{"id": "a"}, {"id": "b", "max_model_len": 4096}], {"a": None, "b": 4096}),
        ([{"id": "a", "context_length": 128_000}], {"a": 128_000}),
        ([{"id": "a", "meta": {"n_ctx": 2048}}], {"a": 2048}),
        ([{"id": "a", "context_window": True}, {"id": "b", "context_window": 1}], {"a": None, "b": None}),
        ([{"id": ""}, {"id": 7}, {}, 7, {"id": "x" * 201}, {"id": "a\0"}, {"id": "ok"}], {"ok": None}),
    ],
)  # fmt: skip
async def test_lists_of_models(listed: Any, windows: dict[str, int | None]) -> None:
    async def script(caller: Caller) -> None:
        assert caller.path == "GET /v1/models HTTP/1.1"
        await caller.respond("200 OK", json.dumps({"data": listed}).encode())

    async with upstream(script) as base_url:
        found = await OpenAICompatible(Upstream("x", base_url)).models()
    assert {model.id: model.window for model in found} == windows


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": {}}', b"<html>", b"\xff", b"[" * 99_999])
async def test_lists_that_are_none(body: bytes) -> None:
    async def script(caller: Caller) -> None:
        await caller.respond("200 OK", body)

    async with upstream(script) as base_url:
        with pytest.raises(QuilliumError, match="OpenAI-compatible"):
            await OpenAICompatible(Upstream("The Upstream", base_url)).models()


async def test_many_tokens_a_second() -> None:
    async def script(caller: Caller) -> None:
        await caller.begin()
        for _ in range(100):
            await caller.chunk(b"".join(event(content="word ") for _ in range(100)))
        await caller.done()

    assert await asked(script) == ("word " * 10_000, "", "")
