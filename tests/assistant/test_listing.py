"""Parsing lists of models in the formats of many servers."""

from __future__ import annotations

from typing import Any

import pytest

from assistant.listing import LONGEST_NAME, MAX_MODELS, Listed, listed_models


@pytest.mark.parametrize("document", [
    {"data": [{"id": "a"}]}, {"models": [{"name": "a"}]}, [{"id": "a"}],
    {"data": [{"id": "a"}, {"id": "a", "context_length": 4096}]},
])  # fmt: skip
def test_where_models_are_and_each_is_listed_once(document: Any) -> None:
    assert listed_models(document) == [Listed("a", None)]


@pytest.mark.parametrize("document", [None, {}, [], "a", {"data": None}, {"data": {}}, 7])
def test_what_is_no_list(document: Any) -> None:
    with pytest.raises(ValueError, match="no list of models"):
        listed_models(document)


def test_an_empty_list_of_a_server_is_one() -> None:
    assert listed_models({"data": []}) == []


@pytest.mark.parametrize(
    "model",
    ["a", 7, None, {}, {"id": ""}, {"id": 7}, {"id": "a\0"}, {"id": "a\n"}, {"id": " "},
     {"id": "\ud83e"}, {"id": "x" * (LONGEST_NAME + 1)}],
)  # fmt: skip
def test_models_without_a_usable_name_are_left_out(model: Any) -> None:
    longest = "x" * LONGEST_NAME
    assert listed_models([model, {"id": longest}]) == [Listed(longest, None)]


@pytest.mark.parametrize(
    "field",
    ["max_model_len", "loaded_context_length", "context_length", "context_window",
     "max_context_length", "max_input_tokens", "inputTokenLimit"],
)  # fmt: skip
def test_where_the_window_is(field: str) -> None:
    def window(value: Any) -> int | None:
        return listed_models([{"id": "a", field: value}])[0].window

    assert window(4096) == 4096
    assert (window(256), window(255)) == (256, None)
    assert (window((1 << 40) - 1), window(1 << 40)) == ((1 << 40) - 1, None)
    assert [window(value) for value in (True, "4096", 4096.0, None)] == [None] * 4


def test_the_window_of_llama_cpp_and_which_of_two_counts() -> None:
    assert listed_models([{"id": "a", "meta": {"n_ctx": 2048}}])[0].window == 2048
    assert listed_models([{"id": "a", "meta": 2048}])[0].window is None
    both = {"id": "a", "loaded_context_length": 4096, "max_context_length": 131_072}
    assert listed_models([both])[0].window == 4096  # what is loaded, not what could be


def test_a_list_is_cut_at_the_limit() -> None:
    many = [{"id": f"m{n}"} for n in range(MAX_MODELS + 5)]
    found = listed_models(many)
    assert len(found) == MAX_MODELS
    assert found[-1].id == f"m{MAX_MODELS - 1}"
