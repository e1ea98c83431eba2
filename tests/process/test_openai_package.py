"""The official `openai` package against the running server (docs/openai.md)."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.program import Program


@pytest.fixture
def program(start: Any) -> Program:
    started: Program = start()
    return started


@pytest.fixture
def client(program: Program) -> Any:
    key = program.call("POST", "/api/v1/users/api-key", {}, program.register())["api_key"]
    with openai.OpenAI(api_key=key, base_url=f"{program.url}/openai/v1", max_retries=0) as client:
        yield client


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["quillium-demo"]


def test_a_conversation(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "Hello, my name is Ada."}]
    first = client.chat.completions.create(model="gpt-4", messages=messages)
    assert first.model == "quillium-demo"
    assert first.usage is not None
    messages += [first.choices[0].message, {"role": "user", "content": "What is my name?"}]
    with client.chat.completions.stream(model="quillium-demo", messages=messages) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        said = stream.get_final_completion().choices[0].message.content
    assert len(deltas) > 1
    assert "".join(deltas) == said
    assert said is not None
    assert "Ada" in said


def test_a_stream_with_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="quillium-demo",
        messages=[{"role": "user", "content": "/lorem 200"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    assert len("".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()) == 200
    assert last.usage is not None
    assert last.usage.completion_tokens > 100


def test_failures(program: Program, client: openai.OpenAI) -> None:
    create = client.chat.completions.create
    with pytest.raises(openai.BadRequestError, match="messages"):
        create(model="quillium-demo", messages=[])
    failing: list[Any] = [{"role": "user", "content": "/error"}]
    with pytest.raises(openai.InternalServerError) as refused:
        create(model="quillium-demo", messages=failing)
    assert (refused.value.status_code, refused.value.code) == (502, "model_unavailable")
    with pytest.raises(openai.APIError, match="/error") as broken:
        list(create(model="quillium-demo", messages=failing, stream=True))
    assert broken.value.code == "model_unavailable"
    stranger = client.with_options(api_key="qk_nobodys")
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()
