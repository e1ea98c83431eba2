"""Locating text, reasoning and tool calls in the events of many servers."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.pieces import Pieces, pieces_of


@pytest.mark.parametrize(
    ("said", "text", "reasoning"),
    [
        ({}, "", ""),
        ({"content": None}, "", ""),
        ({"content": 7}, "", ""),
        ({"content": "Hi"}, "Hi", ""),
        ({"content": ["H", {"type": "text", "text": "i"}, 7]}, "Hi", ""),
        ({"content": {"type": "text", "text": "Hi"}}, "Hi", ""),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                      {"type": "text", "text": "Hi"}]}, "Hi", "Hm"),
        ({"content": [{"type": "summary_text", "text": "Hm"}]}, "", "Hm"),
        ({"content": "Hi", "reasoning_content": "Hm"}, "Hi", "Hm"),
        ({"reasoning": "Hm"}, "", "Hm"),
        ({"reasoning": {"content": "Hm"}}, "", "Hm"),
        ({"thinking": "Hm"}, "", "Hm"),
        ({"reasoning_text": "Hm"}, "", "Hm"),
        ({"reasoning_content": "Hm", "reasoning": "Hm"}, "", "Hm"),
        ({"reasoning_content": "", "reasoning": "Hm"}, "", "Hm"),
        ({"reasoning": "Hm", "reasoning_details": [{"text": "Hm"}]}, "", "Hm"),
        ({"reasoning_details": [{"text": "H"}, {"summary": "m"}]}, "", "Hm"),
    ],
)  # fmt: skip
def test_text_and_reasoning(said: dict[str, Any], text: str, reasoning: str) -> None:
    assert pieces_of(said) == Pieces(text, reasoning)


def test_a_refusal_is_text_and_marked() -> None:
    assert pieces_of({"content": "I ", "refusal": "can't"}) == Pieces("I can't", is_refusal=True)
    for none in (None, "", 7):
        assert pieces_of({"content": "Hi", "refusal": none}) == Pieces("Hi")


def test_tool_calls_are_as_sent_and_the_older_form_counts_without_them() -> None:
    old = {"name": "b"}
    assert pieces_of({"tool_calls": [{"id": "x"}], "function_call": old}).tool_calls == [
        {"id": "x"}
    ]
    assert pieces_of({"tool_calls": [], "function_call": old}).tool_calls == [old]
    assert pieces_of({"tool_calls": "none", "function_call": "auto"}).tool_calls == []
