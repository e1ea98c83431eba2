"""Retries: a busy server, a prompt that is too long, an unsupported parameter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from assistant import Parameters, PromptMessage, retrying
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream
from core.errors import QuilliumError
from tests.assistant.test_context import OVERFLOWS
from tests.assistant.upstream import Caller, upstream

HELLO = [PromptMessage("user", "Hello?")]
Answer = Callable[[Caller], Any]


class Server:
    """Answers each request with the next of its answers; `bodies` are those that came."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, caller: Caller) -> None:
        self.bodies.append(caller.body)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if answer == "ok":
            await caller.begin()
            await caller.event(content="Hello")
            await caller.done()
        else:
            status, headers, document = answer
            body = json.dumps(document).encode()
            lines = [f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", *headers, "", ""]
            await caller.raw("\r\n".join(lines).encode() + body)

    @property
    def kept(self) -> list[list[str]]:
        """The messages of each request."""
        return [[m["content"] for m in body["messages"]] for body in self.bodies]


async def ask(
    server: Server,
    messages: list[PromptMessage] = HELLO,
    parameters: Parameters = Parameters(),  # noqa: B008
    **more: Any,
) -> tuple[str, str]:
    """The text, and the details of the error, of a reply."""
    async with upstream(server) as base_url:
        provider = OpenAICompatible(Upstream("The Upstream", base_url, first_seconds=5), **more)
        return await ask_of(provider, messages, parameters)


async def ask_of(
    provider: OpenAICompatible,
    messages: list[PromptMessage] = HELLO,
    parameters: Parameters = Parameters(),  # noqa: B008
) -> tuple[str, str]:
    text = ""
    try:
        async for event in provider.reply(messages, "m", parameters):
            text += event.text if isinstance(event, Text) else ""
    except QuilliumError as error:
        return text, error.details
    return text, ""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that are waited for, without waiting."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    return waited


BUSY = {"error": {"message": "slow down"}}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, ["Retry-After: 2"], 2),
        (503, ["Retry-After: 2"], 2),
        (529, ["retry-after: 0"], 0),
        (429, ["retry-after-ms: 1500", "Retry-After: 2"], 1.5),
        (429, [], retrying.BACK_OFF_SECONDS),
        (503, ["Retry-After: soon"], retrying.BACK_OFF_SECONDS),
        (503, ["Retry-After: " + formatdate(0, usegmt=True)], 0),
    ],
)
async def test_a_busy_server_is_asked_once_more(
    waits: list[float], status: int, headers: list[str], seconds: float
) -> None:
    server = Server((status, headers, BUSY), "ok")
    assert await ask(server) == ("Hello", "")
    assert waits == [seconds]
    assert len(server.bodies) == 2


async def test_one_that_stays_busy_says_so(waits: list[float]) -> None:
    server = Server((429, ["Retry-After: 2"], BUSY))
    assert await ask(server) == (
        "", "The Upstream received too many requests (429): slow down"
    )  # fmt: skip
    assert len(server.bodies) == 2
    server = Server((429, ["Retry-After: 3600"], BUSY))
    assert "slow down" in (await ask(server))[1]
    assert len(server.bodies) == 1  # nobody waits for an hour
    for status in (400, 401, 404, 500, 502):
        server = Server((status, ["Retry-After: 1"], BUSY))
        assert "slow down" in (await ask(server))[1]
        assert len(server.bodies) == 1


async def test_a_model_that_loads_is_waited_for(waits: list[float]) -> None:
    loading: Any = (503, [], {"error": {"message": "Loading model", "type": "unavailable_error"}})
    server = Server(*[loading] * 5, "ok")
    assert await ask(server) == ("Hello", "")
    assert len(waits) == 5


@pytest.mark.parametrize("name", OVERFLOWS)
@pytest.mark.parametrize("form", ["OpenAI", "detail", "stream"])
async def test_a_prompt_that_is_too_long_is_shortened_once(name: str, form: str) -> None:
    words, _ = OVERFLOWS[name]
    document = {"detail": words} if form == "detail" else {"error": {"message": words}}
    said = [
        PromptMessage(role, f"{n} ".ljust(200, "x"))
        for n in range(20)
        for role in ("user", "assistant")
    ]
    said.append(PromptMessage("user", "And now?"))
    status = 200 if form == "stream" else 413 if form == "detail" else 400
    server = Server((status, [], document), "ok")
    assert await ask(server, [PromptMessage("system", "Be brief."), *said]) == ("Hello", "")
    first, second = server.kept
    assert len(second) < len(first)
    assert second[0] == "Be brief."
    assert second[-1] == "And now?"
    assert server.bodies[1]["messages"][1]["role"] == "user"

    always = Server((status, [], document))
    assert (await ask(always, said))[0] == ""
    assert len(always.bodies) == 2
    alone = Server((status, [], document))
    assert "The message is too long for this model" in (await ask(alone))[1]
    assert len(alone.bodies) == 1


async def test_a_window_that_a_server_told_is_remembered() -> None:
    document = {"error": {"message": OVERFLOWS["llama.cpp"][0]}}
    said = [PromptMessage("user", "x" * 3_000), PromptMessage("assistant", "x" * 3_000)] * 3
    server = Server((400, [], document), "ok")
    async with upstream(server) as base_url:
        provider = OpenAICompatible(Upstream("The Upstream", base_url))
        for _ in range(2):
            assert await ask_of(provider, [*said, *HELLO]) == ("Hello", "")
    assert provider.window("m") == 2048
    assert len(server.bodies) == 3  # the third request is short enough at once


async def test_a_rate_limit_of_tokens_is_no_reason_to_send_less(waits: list[float]) -> None:
    words = "Rate limit reached for m on tokens per min (TPM): Limit 200000, Requested 250000."
    server = Server((429, [], {"error": {"message": words}}), "ok")
    said = [PromptMessage("user", "a"), PromptMessage("assistant", "b"), *HELLO]
    assert await ask(server, said) == ("Hello", "")
    assert server.kept[0] == server.kept[1]


@pytest.mark.parametrize(
    ("document", "changed"),
    [
        (
            {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this"
             " model. Use 'max_completion_tokens' instead.", "param": "max_tokens"}},
            {"max_tokens": None, "max_completion_tokens": 50},
        ),
        (
            {"error": {"message": "Unsupported value: 'temperature' does not support 0.2 with this"
             " model. Only the default (1) value is supported."}},
            {"temperature": None, "max_tokens": 50},
        ),
        (
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"],
             "msg": "Extra inputs are not permitted"}]},
            {"stream_options": None, "seed": 7},
        ),
        (
            {"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg":
             "Extra inputs are not permitted"}]}},
            {"seed": None, "temperature": 0.2},
        ),
    ],
)  # fmt: skip
async def test_a_parameter_that_a_server_does_not_know(document: Any, changed: Any) -> None:
    server = Server((422 if "detail" in document else 400, [], document), "ok")
    parameters = Parameters(temperature=0.2, max_tokens=50, seed=7)
    assert await ask(server, HELLO, parameters) == ("Hello", "")
    first, second = server.bodies
    assert (first["temperature"], first["max_tokens"], first["seed"]) == (0.2, 50, 7)
    assert {name: second.get(name) for name in changed} == changed


async def test_a_value_that_is_wrong_is_told() -> None:
    server = Server((400, [], {"error": {"message": "temperature must be at most 1"}}))
    _, details = await ask(server, HELLO, Parameters(temperature=1.5))
    assert "temperature must be at most 1" in details
    assert len(server.bodies) == 1


async def test_nothing_is_asked_again_once_text_has_come() -> None:
    calls: list[int] = []

    async def script(caller: Caller) -> None:
        calls.append(1)
        await caller.begin()
        await caller.event(content="Hel")
        await caller.chunk(b'data: {"error": {"message": "prompt is too long"}}\n\n')
        await caller.wait_for_close()

    async with upstream(script) as base_url:
        provider = OpenAICompatible(Upstream("The Upstream", base_url))
        said = [PromptMessage("user", "a"), PromptMessage("assistant", "b"), *HELLO]
        assert await ask_of(provider, said) == ("Hel", "The Upstream failed: prompt is too long")
    assert len(calls) == 1


async def test_parameters_and_what_the_admin_adds() -> None:
    server = Server("ok")
    chosen = Parameters(temperature=0.5, top_p=0.9, seed=1, reasoning_effort="low")
    extra = {"provider": {"only": ["x"]}, "temperature": 0, "model": "never", "stream": False}
    await ask(server, HELLO, chosen, extra_body=extra, defaults={"max_tokens": 9})
    (body,) = server.bodies
    assert {k: v for k, v in body.items() if k not in ("messages", "stream_options")} == {
        "model": "m",
        "stream": True,
        "temperature": 0,
        "top_p": 0.9,
        "seed": 1,
        "reasoning_effort": "low",
        "max_tokens": 9,
        "provider": {"only": ["x"]},
    }
    await ask(server, HELLO, Parameters(max_tokens=5), defaults={"max_tokens": 9})
    assert server.bodies[-1]["max_tokens"] == 5
