"""Assembling and numbering tool calls, however a server streams them."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.events import ToolCall
from assistant.tool_calls import ToolCallCollector


def piece(arguments: Any = "", name: str | None = None, **call: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {**call, "function": function}


def added(*deltas: list[Any]) -> list[ToolCall]:
    collector = ToolCallCollector()
    return [event for delta in deltas for event in collector.add(delta)]


def test_pieces_belong_to_the_call_of_their_index() -> None:
    collector = ToolCallCollector()
    first = [piece("{", "a", index=3, id="x"), piece("[", "b", index=7, id="y")]
    assert list(collector.add(first)) == [ToolCall(0, "x", "a", "{"), ToolCall(1, "y", "b", "[")]
    rest = [piece("]", index=7), piece("}", index=3), piece("", index=3)]
    assert list(collector.add(rest)) == [
        ToolCall(1, None, None, "]"),
        ToolCall(0, None, None, "}"),
    ]
    assert collector.names == ["a", "b"]


def test_without_an_index_the_position_counts() -> None:
    assert added([piece("1", "a", id="x"), piece("2", "b", id="y")], [piece("3"), piece("4")]) == [
        ToolCall(0, "x", "a", "1"),
        ToolCall(1, "y", "b", "2"),
        ToolCall(0, None, None, "3"),
        ToolCall(1, None, None, "4"),
    ]


def test_another_id_and_name_at_the_same_index_begin_another_call() -> None:
    calls = added(
        [piece("1", "a", index=0, id="x")],
        [piece("2", "a", index=0, id="y")],
        [piece("3", index=0, id="z")],  # an id alone begins nothing
        [piece("4", "a", index=0, id="z")],
    )
    assert [(call.index, call.arguments) for call in calls] == [
        (0, "1"),
        (1, "2"),
        (1, "3"),
        (1, "4"),
    ]


def test_a_call_without_an_id_gets_one_and_one_without_both_never_began() -> None:
    assert added([piece("1", "a")]) == [ToolCall(0, "call_0", "a", "1")]
    assert added([piece("1", id="x")]) == [ToolCall(0, "x", "", "1")]
    assert added([piece("1"), "no call", None]) == []


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (piece({"b": 1}, "a", id="x"), '{"b": 1}'),
        (piece(None, "a", id="x"), ""),
        ({"id": "x", "custom": {"name": "a", "input": "text"}}, "text"),
        ({"id": "x", "name": "a", "arguments": "{}"}, "{}"),
    ],
)
def test_where_arguments_are(call: Any, arguments: str) -> None:
    assert added([call]) == [ToolCall(0, "x", "a", arguments)]


def test_arguments_and_names_can_be_stored() -> None:
    calls = added([piece("\ud83e", "a\0", id="x\0")], [piece("\udeb6")])
    assert calls == [ToolCall(0, "x\ufffd", "a\ufffd", ""), ToolCall(0, None, None, "🪶")]
