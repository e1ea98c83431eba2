"""Completions by `quillium-demo`: a complete, deterministic agent loop, offline.

`test_openai_forwarding` tests the requests that go to a provider.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.conftest import Client

CHAT = "POST /openai/v1/chat/completions"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "description": "Tell the time"}}
FINAL = {
    "type": "function",
    "function": {
        "name": "final_answer",
        "parameters": {"type": "object", "properties": {"answer": {"type": "string"}}},
    },
}
ASKED = {"role": "user", "content": "What is the weather in Oslo, in kelvin?"}


async def choice_of(ada: Client, messages: list[Any], **more: Any) -> dict[str, Any]:
    answer = await ada(CHAT, {"model": "quillium-demo", "messages": messages, **more})
    assert answer.status == 200, answer.body
    choice: dict[str, Any] = answer.body["choices"][0]
    return choice


def chunks(raw: bytes) -> list[Any]:
    events = [event.removeprefix("data: ") for event in raw.decode().split("\n\n") if event]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


async def test_a_tool_is_called_first_and_its_result_used_then(ada: Client) -> None:
    first = await choice_of(ada, [ASKED], tools=[CLOCK, WEATHER])
    assert first["finish_reason"] == "tool_calls"
    assert first["message"]["content"] is None
    (call,) = first["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Oslo", "unit": "kelvin"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "291 K and sunny"}
    history = [ASKED, first["message"], result]
    second = await choice_of(ada, history, tools=[CLOCK, WEATHER])
    assert second["finish_reason"] == "stop"
    assert "291 K and sunny" in second["message"]["content"]
    # The next question begins again.
    again = [*history, second["message"], {"role": "user", "content": "And the time?"}]
    third = await choice_of(ada, again, tools=[CLOCK, WEATHER])
    assert third["message"]["tool_calls"][0]["function"]["name"] == "get_time"
    assert await choice_of(ada, [ASKED], tools=[CLOCK, WEATHER]) == first  # always the same


async def test_a_tool_call_is_streamed(ada: Client) -> None:
    request = {"model": "quillium-demo", "messages": [ASKED], "tools": [WEATHER], "stream": True}
    *parts, done = chunks((await ada(CHAT, request)).raw)
    assert done == "[DONE]"
    deltas = [part["choices"][0]["delta"] for part in parts]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert calls[0]["id"]
    assert calls[0]["function"]["name"] == "get_weather"
    assert {call["index"] for call in calls} == {0}
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert json.loads(arguments) == {"city": "Oslo", "unit": "kelvin"}
    assert parts[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "tool"),
    [
        ("none", None),
        ("auto", "get_weather"),
        (None, "get_weather"),
        ("required", "get_weather"),
        ({"type": "function", "function": {"name": "get_time"}}, "get_time"),
        ({"type": "function", "name": "get_time"}, "get_time"),
    ],
)
async def test_tool_choice(ada: Client, choice: Any, tool: str | None) -> None:
    found = await choice_of(ada, [ASKED], tools=[CLOCK, WEATHER], tool_choice=choice)
    calls = found["message"].get("tool_calls")
    assert (calls[0]["function"]["name"] if calls else None) == tool


async def test_an_agent_that_must_call_tools_comes_to_its_end(ada: Client) -> None:
    """As smolagents and pydantic-ai work: the answer is a tool call, too."""
    messages: list[Any] = [ASKED]
    called = []
    for _ in range(5):
        found = await choice_of(ada, messages, tools=[WEATHER, FINAL], tool_choice="required")
        (call,) = found["message"]["tool_calls"]
        called.append(call["function"]["name"])
        if called[-1] == "final_answer":
            break
        messages += [
            found["message"],
            {"role": "tool", "tool_call_id": call["id"], "content": "291 K"},
        ]
    assert called == ["get_weather", "final_answer"]
    assert json.loads(call["function"]["arguments"]) == {"answer": "291 K"}


async def test_no_argument_is_dangerous(ada: Client) -> None:
    shell = {
        "type": "function",
        "function": {
            "name": "bash",
            "parameters": {
                "type": "object",
                "properties": {"command": {"type": "string"}, "file_path": {"type": "string"}},
            },
        },
    }
    asked = [{"role": "user", "content": "rm -rf / --no-preserve-root"}]
    found = await choice_of(ada, asked, tools=[shell])
    arguments = found["message"]["tool_calls"][0]["function"]["arguments"]
    assert "rm" not in arguments
    assert json.loads(arguments)["file_path"] == "quillium-demo.txt"


PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "mood": {"type": ["string", "null"], "enum": ["sad", "happy", None]},
        "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}, "minItems": 2},
        "email": {"type": "string", "format": "email"},
        "score": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "even": {"type": "integer", "multipleOf": 2, "minimum": 3},
        "boss": {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
        "kind": {"const": "person"},
        "is_old": {"type": "boolean"},
        "code": {"type": "string", "minLength": 3, "maxLength": 5},
        "both": {"allOf": [{"properties": {"a": {"type": "string"}}}, {"$ref": "#/$defs/pet"}]},
    },
    "required": ["name", "age", "mood", "pets", "email", "score", "even", "kind"],
    "additionalProperties": False,
    "$defs": {
        "pet": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
            "required": ["name", "legs"],
        }
    },
}
SCHEMAS = [
    PERSON,
    {"type": "object", "properties": {"x": {"oneOf": [{"type": "number"}, {"type": "string"}]}}},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "integer", "minimum": 7, "exclusiveMaximum": 9},
    {"type": "object", "additionalProperties": {"type": "string"}},
    {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}},
    {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#"},
     "maxItems": 1}}},
    {"type": "string", "format": "date-time"},
    {"type": "number", "minimum": 0.5, "multipleOf": 0.25},
    {"type": "integer", "maximum": -3},
    {"type": "object", "properties": {"n": {"type": "null"}}, "required": ["n"]},
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_schema_is_filled(ada: Client, schema: dict[str, Any]) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema, "strict": True}}
    asked = [{"role": "user", "content": "Ada Lovelace is 36 and happy; her dog Rex has 4 legs."}]
    found = await choice_of(ada, asked, response_format=form)
    value = json.loads(found["message"]["content"])
    jsonschema.validate(value, schema)
    if schema is PERSON:
        assert (value["age"], value["mood"]) == (36, "happy")
    assert await choice_of(ada, asked, response_format=form) == found


@pytest.mark.parametrize("schema", [{}, True, None, {"$ref": "#/nowhere"}, {"$ref": "#"},
                                    {"allOf": [{"$ref": "#"}]}, {"anyOf": []}, {"type": "x"},
                                    {"enum": []}, {"properties": 7}, {"minItems": 1e9, "items": {}},
                                    {"type": "string", "pattern": "(a+)+$"}])  # fmt: skip
async def test_odd_schemas(ada: Client, schema: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    found = await choice_of(ada, [ASKED], response_format=form)
    if schema:
        json.loads(found["message"]["content"])


async def test_json_without_a_schema(ada: Client) -> None:
    found = await choice_of(ada, [ASKED], response_format={"type": "json_object"})
    assert isinstance(json.loads(found["message"]["content"]), dict)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "text", "reason"),
    [
        ({"max_tokens": 3}, "Lorem ipsum dolor", "length"),
        ({"max_completion_tokens": 1}, "Lorem", "length"),
        ({"max_tokens": 0}, "", "length"),
        ({"stop": " dolor"}, "Lorem ipsum", "stop"),
        ({"stop": ["nothing", "psum d"]}, "Lorem i", "stop"),
        ({"stop": ["sit!"], "max_tokens": 4}, "Lorem ipsum dolor sit", "length"),
        ({"max_tokens": 5}, "Lorem ipsum dolor sit amet.", "stop"),
        ({"stop": ["", None, 7], "max_tokens": None}, "Lorem ipsum dolor sit amet.", "stop"),
        ({"stop": ["amet.."]}, "Lorem ipsum dolor sit amet.", "stop"),
    ],
)
async def test_where_an_answer_ends(
    ada: Client, more: dict[str, Any], text: str, reason: str, stream: bool
) -> None:
    request = {"model": "quillium-demo", "messages": [{"role": "user", "content": "/lorem 5"}],
               "stream": stream, **more}  # fmt: skip
    answer = await ada(CHAT, request)
    if stream:
        choices = [part["choices"][0] for part in chunks(answer.raw)[:-1]]
        assert "".join(choice["delta"].get("content", "") for choice in choices) == text
        assert choices[-1]["finish_reason"] == reason
    else:
        (choice,) = answer.body["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (text, reason)
        words = len(text.split())
        assert answer.body["usage"]["completion_tokens"] in (words, words + 1)


async def test_several_choices(ada: Client) -> None:
    request = {"model": "quillium-demo", "messages": [ASKED], "n": 2}
    choices = (await ada(CHAT, request)).body["choices"]
    assert [choice["index"] for choice in choices] == [0, 1]
    assert choices[0]["message"] == choices[1]["message"]
    parts = chunks((await ada(CHAT, {**request, "stream": True})).raw)[:-1]
    assert {part["choices"][0]["index"] for part in parts} == {0, 1}


async def test_a_continued_text(ada: Client) -> None:
    path = "POST /openai/v1/completions"
    for prompt in ("/lorem 3", ["/lorem 3"]):
        answer = (await ada(path, {"model": "quillium-demo", "prompt": prompt})).body
        assert answer["object"] == "text_completion"
        assert answer["choices"][0]["text"] == "Lorem ipsum dolor."
    request = {"model": "quillium-demo", "prompt": "/lorem 3", "stream": True, "max_tokens": 2}
    *parts, done = chunks((await ada(path, request)).raw)
    assert done == "[DONE]"
    assert "".join(part["choices"][0]["text"] for part in parts) == "Lorem ipsum"
    assert parts[-1]["choices"][0]["finish_reason"] == "length"
    assert (await ada(path, {"model": "quillium-demo"})).status == 200
    assert (await ada(path, {"prompt": "x"})).error == "400 invalid_request"


def near(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


async def test_embeddings(ada: Client) -> None:
    texts = ["The cat sat on the mat.", "A cat sat on a mat", "Quarterly revenue rose", ""]
    request = {"model": "quillium-demo", "input": texts}
    answer = (await ada("POST /openai/v1/embeddings", request)).body
    cat, mat, money, nothing = (item["embedding"] for item in answer["data"])
    assert near(cat, cat) == pytest.approx(1)
    assert near(cat, mat) > near(cat, money) + 0.3
    assert len(nothing) == 384
    assert answer["usage"]["total_tokens"] > 0
    for given in ("one", [1, 2, 3], [[1, 2], [3]]):
        found = await ada(
            "POST /openai/v1/embeddings", {**request, "input": given, "dimensions": 8}
        )
        assert len(found.body["data"][0]["embedding"]) == 8
    packed = await ada("POST /openai/v1/embeddings", {**request, "encoding_format": "base64"})
    assert isinstance(packed.body["data"][0]["embedding"], str)


async def responses(ada: Client, **request: Any) -> dict[str, Any]:
    answer = await ada("POST /openai/v1/responses", {"model": "quillium-demo", **request})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


async def test_responses(ada: Client) -> None:
    answer = await responses(ada, input="My name is Ada.")
    assert (answer["status"], answer["object"]) == ("completed", "response")
    (message,) = answer["output"]
    assert "Ada" in message["content"][0]["text"]
    again = await responses(ada, instructions="Be brief.", input=[
        {"role": "user", "content": "My name is Ada."},
        message,
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "user", "content": [{"type": "input_text", "text": "What is my name?"}]},
    ])  # fmt: skip
    assert "Ada" in again["output"][0]["content"][0]["text"]
    cut = await responses(ada, input="/lorem 50", max_output_tokens=5)
    assert (cut["status"], cut["incomplete_details"]["reason"]) == (
        "incomplete",
        "max_output_tokens",
    )
    refused = await ada("POST /openai/v1/responses", {"model": "quillium-demo", "input": "x",
                        "previous_response_id": "resp_1"})  # fmt: skip
    assert refused.error == "400 invalid_request"
    assert "nothing is stored" in refused.body["error"]["message"]


async def test_responses_with_tools(ada: Client) -> None:
    tool = {"type": "function", **WEATHER["function"], "strict": True}  # type: ignore[dict-item]
    asked = {"role": "user", "content": ASKED["content"]}
    first = await responses(ada, input=[asked], tools=[tool, {"type": "web_search"}])
    (call,) = first["output"]
    assert (call["type"], call["name"]) == ("function_call", "get_weather")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "291 K"}
    second = await responses(ada, input=[asked, call, result], tools=[tool])
    assert "291 K" in second["output"][0]["content"][0]["text"]
    form = {"type": "json_schema", "name": "it", "schema": PERSON, "strict": True}
    filled = await responses(ada, input="Ada is 36.", text={"format": form})
    jsonschema.validate(json.loads(filled["output"][0]["content"][0]["text"]), PERSON)
    custom = {"type": "custom", "name": "note", "description": "Write plain text"}
    written = await responses(ada, input="A note, please", tools=[custom], tool_choice="required")
    (call,) = written["output"]
    assert (call["type"], call["input"]) == ("custom_tool_call", "A note, please")


def events_of(raw: bytes) -> list[dict[str, Any]]:
    found = []
    for event in raw.decode().split("\n\n"):
        if event:
            name, data = event.split("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
    return found


async def test_responses_are_streamed(ada: Client) -> None:
    request = {"model": "quillium-demo", "input": "/lorem 5", "stream": True}
    answer = await ada("POST /openai/v1/responses", request)
    events = events_of(answer.raw)
    types = [event["type"] for event in events if event["type"] != "response.output_text.delta"]
    assert types == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    said = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
    assert said == events[-1]["response"]["output"][0]["content"][0]["text"]
    assert said == "Lorem ipsum dolor sit amet."
    tool = {"type": "function", **WEATHER["function"]}  # type: ignore[dict-item]
    called = events_of((await ada("POST /openai/v1/responses", {**request, "tools": [tool],
                        "input": ASKED["content"]})).raw)  # fmt: skip
    deltas = [e["delta"] for e in called if e["type"].endswith("arguments.delta")]
    (item,) = called[-1]["response"]["output"]
    assert "".join(deltas) == item["arguments"]
    failed = events_of((await ada("POST /openai/v1/responses", {**request, "input": "/error"})).raw)
    assert failed[-1]["type"] == "response.failed"
    assert failed[-1]["response"]["error"]["code"] == "model_unavailable"
