"""The fast validator accepts valid input, and nothing that jsonschema rejects."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from schemas import fast_validator

NAMES = sorted(name for name in schemas.SCHEMAS if name != "common")
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 1.0, 10**20, float("inf"), "", " ", "x", "x\n", "\x00", "x" * 300,
    "user", "a@b", "2026-01-01T00:00:00.000Z", "chat_1", [], [1], [{}], {}, {"a": 1}, "😀" * 101,
    "dark", "en", "http://x/v1", [{"type": "text", "text": "x"}], "text", "message", "complete",
]  # fmt: skip


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document."""
    found = [way]
    if isinstance(value, (dict, list)):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            found += places(part, (*way, name))
    return found


def put(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    if not way:
        return value
    for name in way[:-1]:
        document = document[name]
    document[way[-1]] = value
    return None


@pytest.mark.parametrize("name", NAMES)
def test_examples_need_no_second_judge(name: str) -> None:
    for example in schemas.SCHEMAS[name]["examples"]:
        assert schemas._check(name)(example)


@settings(max_examples=1500, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_yes_is_never_wrong(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    document = copy.deepcopy(data.draw(st.sampled_from(schemas.SCHEMAS[name]["examples"])))
    for _ in range(data.draw(st.integers(0, 3))):
        way = data.draw(st.sampled_from(places(document)))
        value = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
        replaced = put(document, way, value)
        document = document if way else replaced
        if isinstance(document, dict) and document and data.draw(st.booleans()):
            del document[data.draw(st.sampled_from(sorted(document)))]
    if schemas._check(name)(document):
        assert schemas._validator(name).is_valid(document)


def test_a_keyword_that_is_not_known_is_no_yes() -> None:
    with pytest.raises(KeyError, match="uniqueItems"):
        fast_validator.compiled({"type": "array", "uniqueItems": True}, schemas._check)
