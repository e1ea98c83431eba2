"""Tool calls of a model whose chat template does not support tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from assistant import local_tools
from assistant.events import End, FinishReason, ReplyEvent, Text, ToolCall, Usage

QUESTION = {"role": "user", "content": "What is the weather in Oslo?"}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Tell it.", "parameters": PARAMETERS},
}


@pytest.mark.parametrize(
    ("request_", "are"),
    [
        ({"messages": [QUESTION]}, False),
        ({"messages": [QUESTION], "tools": []}, False),
        ({"messages": [QUESTION], "tools": [WEATHER]}, True),
        ({"messages": [QUESTION], "functions": [{"name": "a"}]}, True),
        ({"messages": [QUESTION, {"role": "tool", "content": "x"}]}, True),
        ({"messages": [QUESTION, {"role": "function", "content": "x"}]}, True),
        ({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "a"}}]}]}, True),
    ],
)
def test_whether_a_request_has_to_do_with_tools(request_: dict[str, Any], are: bool) -> None:
    assert local_tools.are_in(request_) is are


async def completed(
    finish: FinishReason = "stop", words: Sequence[str] = ('{"city":', ' "Oslo"}'), **request: Any
) -> tuple[list[ReplyEvent], dict[str, Any]]:
    """Return what comes of a request, and what the model was asked."""
    asked: list[dict[str, Any]] = []
    is_closed = False

    async def ask(plain: Mapping[str, Any]) -> AsyncGenerator[ReplyEvent, None]:
        nonlocal is_closed
        asked.append(dict(plain))
        try:
            for word in words:
                yield Text(word)
            yield End(finish, Usage(3, 4))
        finally:
            is_closed = True

    given = {"messages": [QUESTION], "temperature": 0, **request}
    events = [event async for event in local_tools.complete(given, ask)]
    assert is_closed
    (plain,) = asked
    return events, plain


async def test_the_model_fills_the_parameters_of_the_chosen_tool() -> None:
    events, plain = await completed(tools=[WEATHER], tool_choice="auto", parallel_tool_calls=True)
    first, *pieces = events
    assert isinstance(first, ToolCall)
    assert first.id
    assert first.id.startswith("call_")
    assert (first.index, first.name, first.arguments) == (0, "get_weather", "")
    assert pieces == [
        ToolCall(0, None, None, '{"city":'),
        ToolCall(0, None, None, ' "Oslo"}'),
        End("tool_calls", Usage(3, 4)),
    ]
    schema = {"name": "get_weather", "schema": PARAMETERS}
    hint = {"role": "system", "content": "Call the function get_weather: Tell it."}
    assert plain == {
        "messages": [QUESTION, hint],
        "temperature": 0,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


async def test_a_tool_without_parameters() -> None:
    _, plain = await completed(functions=[{"name": "now"}], function_call="auto")
    assert plain["response_format"]["json_schema"] == {
        "name": "now",
        "schema": {"type": "object", "properties": {}},
    }
    assert "functions" not in plain
    assert "function_call" not in plain


async def test_a_call_that_was_cut_off_is_no_whole_one() -> None:
    events, _ = await completed("length", tools=[WEATHER])
    assert events[-1] == End("length", Usage(3, 4))


async def test_calls_and_results_are_told_as_text() -> None:
    call = {"id": "x", "function": {"name": "get_weather", "arguments": "{}"}}
    said = {"role": "assistant", "content": "Wait.", "tool_calls": [call, "none", {"id": "y"}]}
    events, plain = await completed(
        words=["18 ", "degrees"],
        messages=[QUESTION, said, {"role": "tool", "tool_call_id": "x", "content": "18"}],
        tools=[WEATHER],
    )
    assert events == [Text("18 "), Text("degrees"), End("stop", Usage(3, 4))]
    result = "The result is: 18\nTell it in your own words."
    assert plain == {
        "messages": [
            QUESTION,
            {"role": "assistant", "content": "Wait.\nI call get_weather with {}."},
            {"role": "user", "content": result},
        ],
        "temperature": 0,
    }
