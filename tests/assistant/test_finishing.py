"""Mapping the finish reasons of many servers."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.events import Usage
from assistant.finishing import (
    is_end,
    is_failure,
    is_filtered,
    is_first,
    meaning_of,
    usage_of,
)


def test_the_one_answer_that_was_asked_for() -> None:
    assert [is_first(choice) for choice in ({}, {"index": None}, {"index": 0})] == [True] * 3
    assert is_first({"index": "0"})
    assert not is_first({"index": 1})
    assert not is_first({"index": "1"})


def test_which_reasons_end_an_answer() -> None:
    assert all(map(is_end, ("stop", "LENGTH", "whatever")))
    assert not any(map(is_end, (None, "", " ", "null", "None", "undefined", "not_finished", 7)))


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("stop", "stop"), ("STOP", "stop"), (" eos ", "stop"), ("end_turn", "stop"),
        ("FINISH_REASON_STOP", "stop"), ("length", "length"), ("MAX_TOKENS", "length"),
        ("model_length", "length"), ("SAFETY", "content_filter"), ("refusal", "content_filter"),
        ("content_filter: RECITATION", "content_filter"), ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"), ("error", None), ("nonsense", None), ("error: x", None),
    ],
)  # fmt: skip
def test_what_reasons_mean(reason: str, meaning: str | None) -> None:
    assert meaning_of(reason) == meaning


def test_what_a_filter_found() -> None:
    found = {"hate": {"filtered": False}, "violence": {"filtered": True}}
    assert is_filtered({"content_filter_results": found})
    assert is_filtered({"content_filter_result": found})
    for none in ({}, {"hate": {"filtered": False}}, {"hate": {"filtered": "no"}}, {"x": 1}, [1]):
        assert not is_filtered({"content_filter_results": none})


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        ({"error": {"message": "x"}}, True), ({"errors": ["x"]}, True), ({"error_msg": "x"}, True),
        ({"object": "error"}, True), ({"type": "error"}, True),
        ({"base_resp": {"status_code": 1004}}, True), ({"detail": "x"}, True),
        ({"message": "x", "code": 500}, True), ({"message": "x", "status": 500}, True),
        ({}, False), ({"error": None}, False), ({"base_resp": {"status_code": 0}}, False),
        ({"choices": [], "detail": "x"}, False), ({"message": "x"}, False),
        ({"message": {"content": "x"}, "status": 1, "done": True}, False),
        ({"error": "x", "choices": []}, True),
    ],
)  # fmt: skip
def test_which_events_report_a_failure(event: dict[str, Any], is_one: bool) -> None:
    assert is_failure(event) is is_one


COUNTS = {"prompt_tokens": 9, "completion_tokens": 2}


@pytest.mark.parametrize(
    ("event", "usage"),
    [
        ({"usage": COUNTS}, Usage(9, 2)),
        ({"x_groq": {"usage": COUNTS}}, Usage(9, 2)),
        ({"choices": [{"usage": COUNTS}]}, Usage(9, 2)),
        ({"usage": {"input_tokens": 9, "output_tokens": 2}}, Usage(9, 2)),
        ({"usage": {"prompt_eval_count": 9.0, "eval_count": 2}}, Usage(9, 2)),
        ({"usage": {"prompt_tokens": 9, "total_tokens": 11}}, Usage(9, 2)),
        ({"usage": {"prompt_tokens": 9, "total_tokens": 7}}, Usage(9, 0)),
        ({"timings": {"cache_n": 4, "prompt_n": 5, "predicted_n": 2}}, Usage(9, 2)),
        ({"usage": {}, "timings": {"prompt_n": 9, "predicted_n": 2}}, Usage(9, 2)),
        ({"timings": {"prompt_n": 9}}, None),
        ({}, None),
        ({"usage": None, "choices": []}, None),
        ({"usage": {"prompt_tokens": 9}}, None),
        ({"usage": {"completion_tokens": 2}}, None),
        ({"usage": {"prompt_tokens": True, "completion_tokens": 2}}, None),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 2}}, None),
        ({"usage": {"prompt_tokens": 1e12, "completion_tokens": 2}}, None),
        ({"usage": {"prompt_tokens": float("nan"), "completion_tokens": 2}}, None),
    ],
)
def test_tokens_that_are_counted(event: dict[str, Any], usage: Usage | None) -> None:
    assert usage_of(event) == usage
