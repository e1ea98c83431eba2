"""`quillium-demo` for agents."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from assistant import PromptMessage, context
from assistant.chat_request import ChatRequest
from assistant.demo_completions import (
    DIMENSIONS,
    MAX_DIMENSIONS,
    complete,
    embedding,
    embeddings,
    tool_to_call,
)
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall, Usage

QUESTION = {"role": "user", "content": "What is the weather in Oslo?"}
RESULT = {"role": "tool", "name": "get_weather", "content": "18 degrees"}


def tool(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = tool("get_weather", city={"type": "string"})
CLOCK = tool("getTime", "Tell the time of a place")
FINAL = tool("final_answer")


def chosen(*tools: Any, messages: Sequence[Any] = (QUESTION,), **more: Any) -> str | None:
    request = {"messages": list(messages), "tools": list(tools), **more}
    found = tool_to_call(ChatRequest(request))
    return found.name if found else None


def asking(content: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def calling(name: str) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{"id": "x", "function": {"name": name}}]}


def test_the_tool_that_fits_best_is_called_first() -> None:
    assert chosen(CLOCK, WEATHER) == "get_weather"
    assert chosen(WEATHER, CLOCK, messages=asking("What time is it?")) == "getTime"
    assert chosen(FINAL, CLOCK, messages=asking("Tell of a place")) == "getTime"
    assert chosen(tool("one"), tool("two")) == "one"  # of equals, the first
    assert chosen(tool("one", "what is the"), tool("two", "weather")) == "two"
    named = (tool("one", "weather oslo"), tool("weather"))
    assert chosen(*named) == "weather"  # a name counts more than two words of a description


def test_when_no_tool_is_called() -> None:
    assert chosen() is None
    assert chosen(WEATHER, tool_choice="none") is None
    assert chosen(WEATHER, messages=[QUESTION, RESULT]) is None
    assert chosen(WEATHER, messages=asking(" /markdown")) is None


def test_a_tool_that_is_named_is_called() -> None:
    named = {"type": "function", "function": {"name": "getTime"}}
    assert chosen(WEATHER, CLOCK, tool_choice=named) == "getTime"
    assert chosen(WEATHER, messages=[QUESTION, RESULT], tool_choice=named) is None


def test_a_demanded_call_comes_to_an_end() -> None:
    tools = (FINAL, CLOCK, WEATHER)
    assert chosen(*tools, tool_choice="required") == "get_weather"
    later = [QUESTION, calling("get_weather"), RESULT]
    assert chosen(*tools, messages=later, tool_choice="required") == "final_answer"
    assert chosen(CLOCK, WEATHER, messages=later, tool_choice="required") == "getTime"
    assert chosen(WEATHER, messages=later, tool_choice="required") == "get_weather"
    assert chosen(FINAL, tool_choice="required") == "final_answer"


async def converse(prompt: Sequence[PromptMessage]) -> AsyncGenerator[ReplyEvent, None]:
    yield Reasoning("Hm")
    for word in ("one ", "two ", "three"):
        yield Text(word)
    yield End("stop", Usage(7, 3))


async def completed(**request: Any) -> list[ReplyEvent]:
    asked = ChatRequest({"messages": [QUESTION], **request})
    return [event async for event in complete(asked, converse)]


def said(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


PROMPT = context.tokens(PromptMessage("user", QUESTION["content"]))


async def test_a_call_with_arguments_from_the_question() -> None:
    first, *pieces, end = await completed(tools=[WEATHER])
    assert isinstance(first, ToolCall)
    assert first.id
    assert (first.index, first.name, first.arguments) == (0, "get_weather", "")
    arguments = [piece.arguments for piece in pieces if isinstance(piece, ToolCall)]
    assert arguments == ['{"city":', ' "Oslo"}']
    assert end == End("tool_calls", Usage(PROMPT, 2))
    assert await completed(tools=[WEATHER]) == [first, *pieces, end]
    other = await completed(tools=[WEATHER], messages=asking("The weather in Rome?"))
    assert isinstance(other[0], ToolCall)
    assert other[0].id != first.id


async def test_the_arguments_of_a_later_call_come_from_the_results() -> None:
    text = {"type": "string"}
    events = await completed(
        messages=[QUESTION, calling("get_weather"), RESULT],
        tools=[tool("final_answer", answer=text)],
        tool_choice="required",
    )
    pieces = "".join(event.arguments for event in events if isinstance(event, ToolCall))
    assert json.loads(pieces) == {"answer": "18 degrees"}


async def test_results_are_told_with_their_tools() -> None:
    events = await completed(messages=[QUESTION, RESULT, {**RESULT, "content": "x" * 2_001}])
    assert said(events) == f"`get_weather` says: 18 degrees\n\n`get_weather` says: {'x' * 2_000}"
    assert isinstance(events[-1], End)


async def test_json_of_a_schema() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"schema": schema}}
    events = await completed(response_format=form)
    assert json.loads(said(events)) == {"city": "Oslo"}
    assert events[-1] == End("stop", Usage(PROMPT, 2))
    told = await completed(response_format=form, messages=[QUESTION, {**RESULT, "content": "Rome"}])
    assert json.loads(said(told)) == {"city": "Rome"}


async def test_a_conversation_within_its_limits() -> None:
    assert await completed() == [
        Reasoning("Hm"), Text("one "), Text("two "), Text("three"), End("stop", Usage(7, 3)),
    ]  # fmt: skip
    assert await completed(max_tokens=1) == [
        Reasoning("Hm"), Text("one "), End("length", Usage(PROMPT, 1)),
    ]  # fmt: skip
    stopped = await completed(stop="two")
    assert (said(stopped), stopped[-1]) == ("one ", End("stop", Usage(PROMPT, 2)))
    held = await completed(stop="three and four")
    assert said(held) == "one two three"  # a stop sequence that did not come is no loss


# Embeddings


def likeness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embedding(one), embedding(other), strict=True))


def test_an_embedding_is_a_unit_vector_and_always_the_same() -> None:
    for text in ("a goose", "", "…", "\ud83e"):
        assert embedding(text) == embedding(text)
        assert likeness(text, text) == pytest.approx(1)
    assert len(embedding("a goose")) == DIMENSIONS
    assert embedding("", 3) == [1, 0, 0]
    assert embedding("Goose!") == embedding("goose")


def test_texts_that_share_words_or_their_parts_are_near() -> None:
    far = likeness("the quill writes", "database migration")
    assert likeness("the quill writes", "a quill wrote") > far + 0.2
    assert likeness("writing", "written") > far + 0.2


def test_a_request_for_embeddings() -> None:
    answer = embeddings({"model": "m", "input": ["a", "b"], "dimensions": 8})
    tokens = context.tokens_of("a") + context.tokens_of("b")
    assert answer == {
        "object": "list",
        "model": "m",
        "data": [
            {"object": "embedding", "index": 0, "embedding": embedding("a", 8)},
            {"object": "embedding", "index": 1, "embedding": embedding("b", 8)},
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


@pytest.mark.parametrize(("given", "count"), [("a", 1), ([1, 2], 1), ([[1], [2]], 2), (["a"], 1)])
def test_one_text_or_many(given: Any, count: int) -> None:
    assert len(embeddings({"model": "m", "input": given})["data"]) == count


@pytest.mark.parametrize(
    ("asked", "length"),
    [(1, 1), (MAX_DIMENSIONS, MAX_DIMENSIONS), (0, DIMENSIONS), (MAX_DIMENSIONS + 1, DIMENSIONS),
     (None, DIMENSIONS), ("8", DIMENSIONS)],
)  # fmt: skip
def test_dimensions(asked: Any, length: int) -> None:
    answer = embeddings({"model": "m", "input": "a", "dimensions": asked})
    assert len(answer["data"][0]["embedding"]) == length


def test_vectors_in_base64() -> None:
    asked = {"model": "m", "input": "a goose", "dimensions": 8, "encoding_format": "base64"}
    packed = base64.b64decode(embeddings(asked)["data"][0]["embedding"])
    assert struct.unpack("<8f", packed) == pytest.approx(embedding("a goose", 8))
