"""Values that `quillium-demo` fills into schemas."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from assistant.demo_schema import SchemaFiller

TEXT = "What is the weather in Oslo and in New York, at 18.5 degrees, 3 times?"


def filled(schema: Any, text: str = TEXT) -> Any:
    value = SchemaFiller(text).fill(schema)
    if isinstance(schema, dict):
        jsonschema.validate(value, schema)
    assert SchemaFiller(text).fill(schema) == value
    return value


def named(name: str, text: str = TEXT, **schema: Any) -> Any:
    return filled({"properties": {name: {"type": "string", **schema}}}, text)[name]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, TEXT), ({"type": "string"}, TEXT), ({"type": ["null", "string"]}, TEXT),
        ({"type": "boolean"}, True), ({"type": "null"}, None), ({"type": ["null"]}, None),
        ({"const": 7}, 7), ({"default": "d", "type": "string"}, "d"), ({"type": "object"}, {}),
        ({"enum": ["paris", "oslo"]}, "oslo"), ({"enum": ["a b", "c d"]}, "a b"),
        ({"enum": [3, "", "oslo"]}, "oslo"), ({"enum": [3, 4]}, 3),
        ({"type": "number"}, 18.5), ({"type": "integer"}, 18),
        ({"type": "string", "examples": [7, "example"]}, "example"),
        ({"type": "string", "maxLength": 4}, "What"),
        ({"properties": {"a": {"type": "null"}}}, {"a": None}),
        ({"items": {"type": "null"}}, [None]), ({"prefixItems": [{"const": 1}, {}]}, [1, TEXT]),
    ],
)  # fmt: skip
def test_one_value(schema: Any, value: Any) -> None:
    assert filled(schema) == value


def test_no_text_is_replaced_and_a_short_or_long_one_is_fitted() -> None:
    assert filled({}, " \n") == "quillium-demo"
    assert filled({"type": "string", "minLength": 5}, "abc") == "abc.."
    assert filled({}, "x" * 501) == "x" * 500
    assert filled({}, "two \n  words") == "two words"


def test_numbers_are_taken_in_their_order() -> None:
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4}
    assert filled(numbers) == [18.5, 3, 1, 1]
    assert filled({"type": "number"}, "-4 below") == -4
    assert filled({"type": "integer"}, "no number") == 1


@pytest.mark.parametrize(
    ("bounds", "value"),
    [
        ({"minimum": 20}, 20), ({"maximum": 10}, 10), ({"minimum": 18, "maximum": 18}, 18),
        ({"exclusiveMinimum": 18}, 19), ({"exclusiveMaximum": 18}, 17), ({"multipleOf": 4}, 16),
        ({"multipleOf": 10, "minimum": 15}, 20), ({"minimum": True}, 18),
        ({"minimum": 10**16}, 18), ({"minimum": 10**15}, 10**15),
    ],
)  # fmt: skip
def test_numbers_keep_to_their_bounds(bounds: dict[str, Any], value: int) -> None:
    found = SchemaFiller("18").fill({"type": "integer", **bounds})
    assert found == value
    assert isinstance(found, int)


def test_a_number_may_be_near_an_exclusive_bound() -> None:
    assert filled({"type": "number", "exclusiveMinimum": 18}, "18") == pytest.approx(18.001)
    assert filled({"type": "number", "exclusiveMaximum": 18}, "18") == pytest.approx(17.999)


def test_places_and_persons_are_the_names_of_the_text() -> None:
    assert named("city") == "Oslo"
    both = {"properties": {name: {"type": "string"} for name in ("from_city", "to_city")}}
    assert list(filled(both).values()) == ["Oslo", "New York"]
    assert named("city", "Oslo is where Ada lives") == "Ada"  # a first word may be any word
    assert named("city", "Rome") == "Rome"
    assert named("city", "nowhere") == "nowhere"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", "echo quillium-demo"), ("shell_script", "echo quillium-demo"),
        ("code", 'print("quillium-demo")'), ("work_dir", "."), ("file_path", "quillium-demo.txt"),
        ("url", "https://example.com/"), ("email", "ada@example.com"), ("due_date", "2024-01-01"),
    ],
)  # fmt: skip
def test_what_an_agent_may_run_is_harmless(name: str, value: str) -> None:
    assert named(name, "rm -rf / in Oslo") == value


@pytest.mark.parametrize(
    "form", ["date", "date-time", "time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"]
)
def test_formats(form: str) -> None:
    schema = {"type": "string", "format": form}
    value = filled(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(value, schema, format_checker=checker)
    assert value != TEXT
    assert filled({"type": "string", "format": "unknown"}) == TEXT


@pytest.mark.parametrize(
    ("schema", "count"),
    [({}, 1), ({"minItems": 3}, 3), ({"maxItems": 0}, 0), ({"minItems": 99}, 50),
     ({"minItems": True}, 1), ({"minItems": -3}, 1)],
)  # fmt: skip
def test_how_many_items(schema: dict[str, Any], count: int) -> None:
    assert len(SchemaFiller(TEXT).fill({"type": "array", **schema})) == count


def test_items_that_must_differ() -> None:
    array = {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True}
    assert filled(array, "a") == ["a", "a 1", "a 2"]


def test_references_and_alternatives() -> None:
    defs = {"$defs": {"a/b~c": {"type": "integer"}, "n": {"type": "null"}}}
    assert filled({**defs, "$ref": "#/$defs/a~1b~0c"}) == 18
    assert filled({"anyOf": [{"type": "null"}, {"type": "integer"}]}) == 18
    assert filled({"oneOf": [{"type": "integer"}, {"type": "boolean"}]}) == 18
    assert filled({"anyOf": [{"type": "null"}]}) is None
    assert SchemaFiller("a").fill({"$ref": "#/nowhere"}) == "a"
    parts = [
        {"properties": {"a": {"const": 1}}},
        {"properties": {"b": {"const": 2}}, "type": "object"},
    ]
    assert filled({"allOf": parts, "properties": {"c": {"const": 3}}}) == {"a": 1, "b": 2, "c": 3}


def test_a_schema_that_refers_to_itself_comes_to_an_end() -> None:
    assert SchemaFiller("a").fill({"$ref": "#"}) == "a"
    for other in ("anyOf", "oneOf"):
        following = {other: [{"$ref": "#"}, {"type": "null"}]}
        node = {"type": "object", "properties": {"next": following}, "required": ["next"]}
        assert filled(node)["next"]["next"]  # and valid, with null at its end
    tree = {"properties": {"parts": {"type": "array", "items": {"$ref": "#"}}},
            "required": ["parts"]}  # fmt: skip
    assert filled(tree)["parts"]
    either = {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "integer"}]}
    defs = {"n": {"properties": {"a": either}, "required": ["a"]}}
    assert filled({"$defs": defs, "$ref": "#/$defs/n"})["a"]["a"]
    wide = {"properties": {str(n): {"$ref": "#"} for n in range(5)}, "required": list("01234")}
    assert isinstance(SchemaFiller("a").fill(wide), dict)


def test_optional_parts_end_before_required_ones() -> None:
    def depth(schema: Any) -> int:
        value, count = SchemaFiller("a").fill(schema), 0
        while isinstance(value, dict) and "a" in value:
            value, count = value["a"], count + 1
        return count

    def nested(levels: int, **more: Any) -> Any:
        return {"properties": {"a": nested(levels - 1, **more)}, **more} if levels else {"const": 1}

    assert depth(nested(8)) == 4
    assert depth(nested(8, required=["a"])) == 8


def test_arguments_are_the_required_ones_or_all() -> None:
    properties = {"a": {"const": 1}, "b": {"const": 2}}
    schema = {"type": "object", "properties": properties}
    assert SchemaFiller("").arguments(schema) == {"a": 1, "b": 2}
    assert SchemaFiller("").arguments({**schema, "required": ["b"]}) == {"b": 2}
    nothing: list[Any] = [None, {}, {"type": "string"}, []]
    assert [SchemaFiller("").arguments(schema) for schema in nothing] == [{}] * 4
