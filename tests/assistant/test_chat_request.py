"""How the built-in models parse a "Chat Completions" request."""

from __future__ import annotations

from typing import Any

import pytest

from assistant import PromptMessage
from assistant.chat_request import ChatRequest, Tool, text_of


def of(role: str, content: Any = None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def calling(name: str, id: str = "x") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def request(*messages: Any, **more: Any) -> ChatRequest:
    return ChatRequest({"messages": list(messages), **more})


@pytest.mark.parametrize(
    ("content", "text"),
    [("Hi", "Hi"), ([{"type": "text", "text": "H"}, {"type": "image_url"}, "i"], "Hi"),
     ({"text": "Hi"}, "Hi"), (None, ""), (7, "")],
)  # fmt: skip
def test_the_text_of_a_content(content: Any, text: str) -> None:
    assert text_of(content) == text


def test_the_conversation_is_text_without_the_results_of_tools() -> None:
    asked = request(
        of("system", "s"), of("developer", "d"), of("user", [{"text": "u"}]), of("assistant", "a"),
        of("tool", "t"), of("function", "f"), of("stranger", "x"), {}, "no message",
    )  # fmt: skip
    assert asked.prompt == [
        PromptMessage("system", "s"),
        PromptMessage("system", "d"),
        PromptMessage("user", "u"),
        PromptMessage("assistant", "a"),
        PromptMessage("user", "x"),
        PromptMessage("user", ""),
    ]


def test_the_question_is_what_the_user_said_last() -> None:
    asked = request(of("user", "first"), of("user", "last"), of("assistant", "a"), of("tool", "t"))
    assert asked.question == "last"
    assert request(of("assistant", "a")).question == ChatRequest({}).question == ""


def test_results_are_those_since_the_user_spoke_last() -> None:
    old = [of("user", "1"), of("tool", "old", name="a")]
    calls = of("assistant", tool_calls=[calling("b", "x"), calling("c", "y"), "none", {"id": "z"}])
    new = [of("user", "2"), calls, of("tool", "r", tool_call_id="y"), of("tool", "s"),
           of("tool", "q", tool_call_id="x", name="mine"), of("function", "f", name="d")]  # fmt: skip
    assert request(*old).results == [("a", "old")]
    assert request(*old, *new).results == [("c", "r"), ("tool", "s"), ("mine", "q"), ("d", "f")]


def test_tools_that_were_called_also_by_an_answer_that_names_them() -> None:
    tools = [{"function": {"name": name}} for name in ("seen", "named", "fresh")]
    said = [of("assistant", "I used named.", tool_calls=[calling("seen"), "none"]),
            of("user", "fresh")]  # fmt: skip
    assert request(*said, tools=tools).called == {"seen", "named"}


def test_tools_in_both_forms() -> None:
    old = {"name": "b", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": {"name": "a", "description": "A"}}, {"type": "x"},
             {"function": {}}, "none"]  # fmt: skip
    assert request(tools=tools, functions=[old, {"description": "nameless"}, 7]).tools == [
        Tool("a", "A", None),
        Tool("b", "", {"type": "object"}),
    ]
    assert request(tools=None, functions=None).tools == []


@pytest.mark.parametrize(
    ("asked", "choice"),
    [
        ({}, "auto"),
        ({"tool_choice": None}, "auto"),
        ({"tool_choice": "none"}, "none"),
        ({"tool_choice": "required"}, "required"),
        ({"tool_choice": "any"}, "required"),
        ({"tool_choice": {"type": "function", "function": {"name": "a"}}}, "function:a"),
        ({"tool_choice": {"type": "function", "name": "a"}}, "function:a"),
        ({"tool_choice": {"type": "allowed_tools"}}, "required"),
        ({"function_call": {"name": "a"}}, "function:a"),
        ({"tool_choice": "none", "function_call": "auto"}, "none"),
    ],
)
def test_which_tool_is_wanted(asked: dict[str, Any], choice: str) -> None:
    assert ChatRequest(asked).tool_choice == choice


def test_the_schema_of_the_answer() -> None:
    def schema(form: Any) -> Any:
        return ChatRequest({"response_format": form}).schema

    number = {"type": "number"}
    assert schema({"type": "json_schema", "json_schema": {"schema": number}}) == number
    assert schema({"type": "json_schema", "schema": number}) == number
    assert schema({"type": "json_object", "schema": number}) == number
    assert schema({"type": "json_object"})["properties"] == {"answer": {"type": "string"}}
    assert [schema(form) for form in (None, "json_object", {}, {"type": "text"})] == [None] * 4


@pytest.mark.parametrize(
    ("stop", "sequences"), [("a", ["a"]), (["a", "", 7, "b"], ["a", "b"]), (None, []), ("", [])]
)
def test_stop_sequences(stop: Any, sequences: list[str]) -> None:
    assert ChatRequest({"stop": stop}).stop == sequences


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        ({}, None),
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": -1}, None),
        ({"max_tokens": True}, None),
        ({"max_tokens": 7, "max_completion_tokens": 8}, 8),
        ({"max_tokens": 7, "max_completion_tokens": None}, 7),
    ],
)
def test_max_tokens(asked: dict[str, Any], tokens: int | None) -> None:
    assert ChatRequest(asked).max_tokens == tokens
