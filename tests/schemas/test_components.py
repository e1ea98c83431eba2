"""OpenAPI components, in the forms that client generators support."""

from __future__ import annotations

import json
from typing import Any

import pytest

import schemas
from schemas.components import components, reference


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the component of a schema, as if it were in a file of its own."""

    def made(schema: dict[str, Any]) -> Any:
        monkeypatch.setitem(schemas.SCHEMAS, "probe", schema)
        return components(reference("probe"))["probe"]

    return made


def test_a_component_brings_those_that_it_uses() -> None:
    found = components({"schema": reference("chats_page")})
    assert list(found) == sorted(found)
    assert {"chats_page", "pagination"} <= found.keys()
    assert "login" not in found
    named = set(json.dumps(found).split("#/components/schemas/")[1:])
    assert {name.partition('"')[0] for name in named} <= found.keys()
    assert components({"schema": "none"}) == {}


def test_a_nullable_scalar_has_null_in_its_type(convert: Any) -> None:
    assert convert({"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]}) == {
        "type": ["string", "null"],
        "minLength": 1,
    }
    kept = {"anyOf": [{"type": "object"}, {"type": "null"}]}
    assert convert(kept) == kept


def test_null_alone_is_a_nullable_string(convert: Any) -> None:
    assert convert({"properties": {"a": {"type": "null"}}})["properties"]["a"] == {
        "type": ["string", "null"]
    }


def test_several_types_are_an_option_each_with_its_own_keywords(convert: Any) -> None:
    split = convert(
        {"description": "d", "type": ["string", "array"], "maxLength": 3, "items": {"type": "null"}}
    )
    assert split == {
        "description": "d",
        "anyOf": [
            {"type": "string", "maxLength": 3},
            {"type": "array", "items": {"type": ["string", "null"]}},
        ],
    }


@pytest.mark.parametrize(
    ("schema", "type"),
    [
        ({"const": "a"}, "string"),
        ({"enum": [1, 2]}, "integer"),
        ({"const": True}, "boolean"),
        ({"enum": ["a", None]}, ["string", "null"]),
        ({"enum": ["a"], "type": "string"}, "string"),
    ],
)
def test_values_have_a_type(convert: Any, schema: dict[str, Any], type: Any) -> None:
    assert convert(schema) == {**schema, "type": type}


def test_a_list_says_what_is_in_it(convert: Any) -> None:
    assert convert({"type": "array"}) == {"type": "array", "items": {}}


def test_what_is_ours_alone_is_hidden_and_examples_stay(convert: Any) -> None:
    examples = [{"$id": "kept", "x-kept": 1}]
    assert convert(
        {"$schema": "s", "$id": "i", "$defs": {}, "x-ours": 1, "examples": examples}
    ) == {"examples": examples}


def test_a_reference_is_to_a_whole_component(convert: Any) -> None:
    assert convert({"$ref": "chat.json", "description": "d"}) == {
        "$ref": "#/components/schemas/chat",
        "description": "d",
    }


def test_a_reference_into_another_file_is_filled_in_without_its_default(
    convert: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"properties": {"a": {"type": "string", "default": "x", "description": "d"}}}
    monkeypatch.setitem(schemas.SCHEMAS, "other", other)
    assert convert({"$ref": "other.json#/properties/a"}) == {"type": "string", "description": "d"}


def test_common_parts_have_names_of_their_own() -> None:
    known = components([reference("frame_to_server"), reference("frame_from_server")])
    assert {"frame_to_server", "frame_from_server"} <= known.keys()
    parts = schemas.SCHEMAS["common"]["$defs"]
    assert "common" not in known
    assert any(part in known or f"{part}_object" in known for part in parts)
