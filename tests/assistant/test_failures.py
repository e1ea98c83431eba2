"""Error responses of providers, and which parts of them users may see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.failures import (
    SHOWN_CHARACTERS,
    ReportedFailure,
    hidden,
    is_context_overflow,
    is_loading,
    message_of,
    parsed,
)

KEY = "sk-abcdefghij0123456789"


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"a": 1}', {"a": 1}), (b"busy", "busy"), (b"\xff", "\ufffd"), (b"[" * 99_999, "[" * 99_999)],
)  # fmt: skip
def test_the_body_of_an_error(body: bytes, value: Any) -> None:
    assert parsed(body) == value


def test_a_reported_failure_keeps_what_was_sent() -> None:
    assert ReportedFailure({"error": "x"}).document == {"error": "x"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([{"error": {"message": "of a list"}}], "of a list"),
        ({"detail": "of FastAPI"}, "of FastAPI"),
        ({"detail": [{"loc": ["body", "n"], "msg": "too many"}]}, "body.n: too many"),
        ({"message": "at the top"}, "at the top"),
        ({"error": "a string"}, "a string"),
        ({"error": {"message": {"error": {"message": "nested"}}}}, "nested"),
        ({"error": {"message": "Provider", "metadata": {"raw": "of the raw"}}}, "of the raw"),
        ({"error": {"metadata": {"raw": '{"error": {"message": "of JSON"}}'}}}, "of JSON"),
        ({"error": {"message": 'It said: {"error": "inner"} and so on'}}, "inner"),
        ({"error": {"message": "no {json at all"}}, "no {json at all"),
        ({"error": {"message": "empty {}"}}, "empty {}"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"errors": ["1", "2", "3", "4"]}, "1; 2; 3"),
        ({"choices": [{"error": {"message": "of a choice"}}]}, "of a choice"),
        ({"base_resp": {"status_msg": "of MiniMax"}}, "of MiniMax"),
        ({"somewhere": {"message": "else"}}, "else"),
        ("<html><head><title>502 Bad Gateway</title></head><body>x</body>", "502 Bad Gateway"),
        ("<html><style>a{}</style><body><p>Too <b>busy</b></p></body></html>", "Too busy"),
        ("a < b", "a < b"),
        (" a\n\x1b[31m\0b ", "a [31m\ufffdb"),
        (7, ""), (None, ""), ({}, ""), ({"error": {"message": 7}}, ""), ({"a": {"b": 7}}, ""),
    ],
)  # fmt: skip
def test_where_the_words_are(document: Any, words: str) -> None:
    assert message_of(document) == words


def test_a_long_failure_is_cut() -> None:
    assert message_of("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS
    assert message_of("x" * (SHOWN_CHARACTERS + 1)) == "x" * SHOWN_CHARACTERS + "…"


def test_nesting_is_followed_only_so_far() -> None:
    deep: Any = "words"
    for _ in range(7):
        deep = {"error": deep}
    assert message_of({"error": deep}) == "words"
    assert message_of({"error": {"error": deep}}) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad {KEY} here", "bad … here"),
        (f"bad {KEY[:8]}*** here", "bad here"),
        (f"bad ***{KEY[-6:]} here", "bad here"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_a_key_and_its_ends_are_left_out(text: str, shown: str) -> None:
    assert message_of(text, ["", KEY]) == shown
    assert hidden({text: [text, 7, {"a": text}]}, ["", KEY]) == {shown: [shown, 7, {"a": shown}]}


def test_words_that_hold_a_short_secret_are_left_out() -> None:
    assert message_of("my key=abc1234, so", ["abc1234"]) == "my so"
    assert message_of("my abc12 stays", ["abc1234"]) == "my abc12 stays"


def test_a_text_without_a_secret_keeps_its_white_space() -> None:
    assert hidden("two\n\nlines  here", [KEY]) == "two\n\nlines  here"


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 4097 tokens.",
        "prompt is too long: 9000 tokens",
        "the request exceeds the available context size",
        "Input length 9000 exceeds the maximum length",
        "string_above_max_length",
    ],
)
def test_a_prompt_that_is_longer_than_the_window(text: str) -> None:
    assert is_context_overflow(text)
    assert is_context_overflow({"error": {"message": text}})


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached: requested more than 40000 tokens",
        "you exceeded 9000 tokens per minute",
        "TPM: exceeded your tokens",
        "the model crashed",
    ],
)
def test_other_failures_are_no_reason_to_send_less(text: str) -> None:
    assert not is_context_overflow(text)
    assert not is_context_overflow(json.loads(json.dumps({"error": text})))


@pytest.mark.parametrize(
    ("document", "is_one"),
    [({"error": "Loading model"}, True), ("warming up", True), ("initialising", True),
     ({"error": {"message": "the model is being loaded"}}, True), ("upload failed", False),
     ({"error": "overloaded"}, False), ({}, False)],
)  # fmt: skip
def test_a_model_that_is_still_being_loaded(document: Any, is_one: bool) -> None:
    assert is_loading(document) is is_one
