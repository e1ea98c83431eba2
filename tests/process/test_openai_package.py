"""The official `openai` package against a running server (docs/openai.md)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest

from tests.program import Program
from tests.snippets import block


@pytest.fixture
def program(start: Any) -> Program:
    started: Program = start()
    return started


@pytest.fixture
def client(program: Program) -> Any:
    key = program.call("POST", "/api/v1/users/api-key", {}, program.register())["api_key"]
    with openai.OpenAI(api_key=key, base_url=f"{program.url}/openai/v1", max_retries=0) as client:
        yield client


def test_the_documented_program(program: Program, tmp_path: Path) -> None:
    key = program.call("POST", "/api/v1/users/api-key", {}, program.register())["api_key"]
    text = block("docs/openai.md", "from openai import OpenAI").text
    script = text.replace("http://localhost:8080", program.url).replace("qk_…", key)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert "Ada" in done.stdout, done.stderr


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
    assert last.usage.completion_tokens == 200


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
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
    with pytest.raises(openai.NotFoundError):
        client.images.generate(prompt="a quill")
    stranger = client.with_options(api_key="qk_nobodys")
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_one_model(client: openai.OpenAI) -> None:
    assert client.models.retrieve("quillium-demo").owned_by == "built-in"


TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tell the weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def test_tools(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "How is the weather in Oslo?"}]
    with client.chat.completions.stream(
        model="quillium-demo", messages=messages, tools=TOOLS
    ) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}]
    last = client.chat.completions.create(model="quillium-demo", messages=messages, tools=TOOLS)
    assert "18 degrees" in str(last.choices[0].message.content)


class Person(pydantic.BaseModel):
    name: str
    age: int
    pets: list[str]


def test_parse(client: openai.OpenAI) -> None:
    parsed = client.chat.completions.parse(
        model="quillium-demo",
        messages=[{"role": "user", "content": "Ada is 36 years old."}],
        response_format=Person,
    )
    person = parsed.choices[0].message.parsed
    assert person is not None
    assert person.age == 36


def test_the_end_of_an_answer(client: openai.OpenAI) -> None:
    asked: list[Any] = [{"role": "user", "content": "/lorem 50"}]
    cut = client.chat.completions.create(model="quillium-demo", messages=asked, max_tokens=3)
    assert cut.choices[0].finish_reason == "length"
    assert cut.choices[0].message.content == "Lorem ipsum dolor"
    text = client.completions.create(model="quillium-demo", prompt="/lorem 50", stop="dolor")
    assert text.choices[0].text == "Lorem ipsum "


def test_responses(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="quillium-demo", input="My name is Ada.")
    assert "Ada" in answer.output_text
    tool: Any = {"type": "function", **TOOLS[0]["function"], "strict": False}
    with client.responses.stream(
        model="quillium-demo", input="How is the weather in Oslo?", tools=[tool]
    ) as stream:
        types = {event.type for event in stream}
        (call,) = stream.get_final_response().output
    assert "response.function_call_arguments.delta" in types
    assert call.type == "function_call"
    parsed = client.responses.parse(
        model="quillium-demo", input="Ada is 36 years old.", text_format=Person
    )
    assert parsed.output_parsed is not None
    assert parsed.output_parsed.age == 36
    with pytest.raises(openai.BadRequestError, match="nothing is stored"):
        client.responses.create(model="quillium-demo", input="x", previous_response_id="resp_1")


def test_embeddings(client: openai.OpenAI) -> None:
    found = client.embeddings.create(model="quillium-demo", input=["a cat", "a mat"])
    assert [len(item.embedding) for item in found.data] == [384, 384]  # sent as base64


def test_a_providers_status_and_retries(program: Program, client: openai.OpenAI) -> None:
    """Retries are the package's own: it sees the provider's status and `Retry-After`."""
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            is_ready = len(asked) > 2
            body = ANSWER if is_ready else b'{"error": {"message": "slow down", "code": "busy"}}'
            self.send_response(200 if is_ready else 429)
            self.send_header("Retry-After-Ms", "1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        provider = {
            "name": "Busy",
            "base_url": f"http://127.0.0.1:{server.server_port}/v1",
            "models": ["m"],
        }
        login = {"email": "ada@example.com", "password": "a good password"}
        token = program.call("POST", "/api/v1/auth/login", login)["access_token"]
        program.call("PUT", "/api/v1/settings/admin", {"providers": [provider]}, token)
        messages: list[Any] = [{"role": "user", "content": "Hello?"}]
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model="m", messages=messages)
        assert (refused.value.code, refused.value.status_code) == ("busy", 429)
        raw = client.with_options(max_retries=2).chat.completions.with_raw_response.create(
            model="m", messages=messages
        )
        assert raw.status_code == 200
        assert raw.parse().choices[0].message.content == "Hello"
        assert raw.headers["x-request-id"]
        assert len(asked) == 3
        server.shutdown()


ANSWER = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
            }
        ],
    }
).encode()
