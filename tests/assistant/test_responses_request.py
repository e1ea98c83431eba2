"""Converting "Responses" requests to "Chat Completions" requests."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.responses_request import custom_tools, to_chat
from core.errors import InvalidRequest

ASKED = {
    "model": "m",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def chat(**request: Any) -> dict[str, Any]:
    return to_chat({"model": "m", "input": "Hi", **request})


def messages(*items: Any, **request: Any) -> list[Any]:
    found: list[Any] = chat(input=list(items), **request)["messages"]
    return found


def test_the_least_request() -> None:
    assert chat() == ASKED
    assert chat(input=None)["messages"] == chat(input=["none"])["messages"] == []


def test_instructions_come_first() -> None:
    assert chat(instructions="Be brief.")["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert chat(instructions="") == chat(instructions=None) == ASKED


def test_parameters_keep_or_change_their_names() -> None:
    assert chat(temperature=0, stop=["x"], seed=1, user=None) == {
        **ASKED, "temperature": 0, "stop": ["x"], "seed": 1,
    }  # fmt: skip
    assert chat(max_output_tokens=0) == {**ASKED, "max_tokens": 0}
    assert chat(reasoning={"effort": "low"}) == {**ASKED, "reasoning_effort": "low"}
    for_openai = dict.fromkeys(
        ("metadata", "service_tier", "prompt_cache_key", "safety_identifier", "store"), "x"
    )
    assert chat(reasoning={"effort": None}, **for_openai) == ASKED


def test_what_would_have_to_be_stored_is_refused() -> None:
    for field in ("previous_response_id", "conversation"):
        with pytest.raises(InvalidRequest, match=f"{field}: nothing is stored here"):
            chat(**{field: "x"})
        assert chat(**{field: None}) == ASKED
    with pytest.raises(InvalidRequest, match="background: responses are sent"):
        chat(background=True)
    assert chat(background=False) == ASKED
    with pytest.raises(InvalidRequest, match="nothing is stored here"):
        messages({"type": "item_reference", "id": "x"})


def test_messages_and_their_roles() -> None:
    assert messages(
        {"role": "developer", "content": "d"}, {"type": "message", "role": "assistant",
        "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}, 7]},
        {"content": "u"}, {"content": None}, {"type": "reasoning", "summary": []},
    ) == [
        {"role": "system", "content": "d"}, {"role": "assistant", "content": "ab"},
        {"role": "user", "content": "u"}, {"role": "user", "content": ""},
    ]  # fmt: skip


def test_images_files_and_audio() -> None:
    (message,) = messages({"content": [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "data:x", "detail": "low"},
        {"type": "input_image"},
        {"type": "input_file", "file_id": "f", "filename": "n", "other": 1},
        {"type": "input_audio", "input_audio": {"data": "x"}},
    ]})  # fmt: skip
    assert message["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "", "detail": "auto"}},
        {"type": "file", "file": {"file_id": "f", "filename": "n"}},
        {"type": "input_audio", "input_audio": {"data": "x"}},
    ]


def called(name: str, arguments: str, id: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_calls_join_the_message_before_them() -> None:
    items = [
        {"type": "function_call", "name": "a", "arguments": '{"b": 1}', "call_id": "x"},
        {"type": "custom_tool_call", "name": "c", "input": "text", "call_id": "y"},
        {"type": "function_call_output", "call_id": "x", "output": "r"},
        {"type": "custom_tool_call_output", "call_id": "y",
         "output": [{"type": "input_text", "text": "s"}, {"type": "input_image"}]},
    ]  # fmt: skip
    calls = [called("a", '{"b": 1}', "x"), called("c", '{"input": "text"}', "y")]
    results = [
        {"role": "tool", "tool_call_id": "x", "content": "r"},
        {"role": "tool", "tool_call_id": "y", "content": "s"},
    ]
    alone = {"role": "assistant", "content": None, "tool_calls": calls}
    assert messages(*items) == [alone, *results]
    assert messages({"role": "assistant", "content": "Hm"}, *items) == [
        {**alone, "content": "Hm"},
        *results,
    ]
    assert messages({"content": "Hi"}, {"type": "function_call"})[1]["tool_calls"] == [
        called("", "{}", "")
    ]


@pytest.mark.parametrize("text", [None, {}, {"format": None}, {"format": {"type": "text"}}])
def test_plain_text_needs_no_format(text: Any) -> None:
    assert chat(text=text) == ASKED


def test_formats() -> None:
    schema: Any = {"type": "json_schema", "name": "n", "schema": {}, "strict": None}
    assert chat(text={"format": schema})["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {}},
    }
    assert chat(text={"format": {"type": "json_object", "x": 1}})["response_format"] == {
        "type": "json_object"
    }


FUNCTION: Any = {"type": "function", "name": "a", "parameters": {}, "strict": None}
CUSTOM = {"type": "custom", "name": "c", "description": "C.", "format": {"definition": "start: x"}}


def test_tools_that_are_functions_or_can_be_made_one() -> None:
    assert chat(tools=[{"type": "web_search"}, "none"], tool_choice="auto") == ASKED
    found = chat(tools=[FUNCTION, CUSTOM, {"type": "custom", "name": "d"}])["tools"]
    assert found[0] == {"type": "function", "function": {"name": "a", "parameters": {}}}
    assert found[1] == {
        "type": "function",
        "function": {
            "name": "c",
            "description": "C.\n\nThe input follows this grammar:\nstart: x",
            "parameters": {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
            },
        },
    }
    assert found[2]["function"]["description"] == ""


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("required", "required"),
        ({"type": "function", "name": "a"}, {"type": "function", "function": {"name": "a"}}),
        ({"type": "allowed_tools", "mode": "auto", "name": "x"}, "auto"),
        ({"type": "web_search"}, None),
    ],
)
def test_which_tool_is_wanted(choice: Any, sent: Any) -> None:
    asked = chat(tools=[FUNCTION], tool_choice=choice)
    assert asked.get("tool_choice") == sent
    assert ("tool_choice" in asked) is (sent is not None)


def test_tools_that_take_plain_text() -> None:
    assert custom_tools({"tools": [FUNCTION, CUSTOM, "none"]}) == {"c"}
    assert custom_tools({"tools": None}) == custom_tools({}) == set()
