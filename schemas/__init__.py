"""A JSON Schema (draft 2020-12) for each request body, response and frame of the API.

Schemas are compiled once. `validate` is the only validation of a body, so callers need no further
checks. An error names the field and says what was expected (contract, section 2).
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from core import identity
from core.errors import InvalidRequest
from core.identity import normalized_email
from schemas import fast_validator

_FOLDER = Path(__file__).parent
_MAX_ERRORS = 5  # reported in one response


def _load() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(_FOLDER.glob("*.json"))
    }


SCHEMAS = _load()


@functools.cache
def _library() -> Any:
    """Return the validator class and the registry that resolves references.

    Importing jsonschema takes as long as all other imports, so it is imported on first use.
    """
    from jsonschema import Draft202012Validator, ValidationError, validators
    from referencing import Registry, Resource

    def pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
        if isinstance(instance, str) and not re.search(
            fast_validator.python_pattern(pattern), instance
        ):
            yield ValidationError("does not match")

    def format(validator: Any, name: str, instance: Any, schema: Any) -> Any:
        if not fast_validator.valid_format(name, instance):
            yield ValidationError("does not match")

    def visible(validator: Any, allowed: bool, instance: Any, schema: Any) -> Any:
        if isinstance(instance, str) and not identity.is_visible(instance):
            yield ValidationError("has an invisible character")

    validator = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {"pattern": pattern, "format": format, "x-visible": visible},
        # JSON Schema accepts 1.0 as an integer, but strictly typed clients do not.
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
            "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
        ),
    )
    registry: Registry[Any] = Registry().with_resources(
        (f"{name}.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
    )
    return functools.partial(validator, registry=registry)


@functools.cache
def _validator(reference: str) -> Any:
    return _library()(_schema(reference))


@functools.cache
def _check(reference: str) -> fast_validator.Check:
    return fast_validator.compiled(_schema(reference), _check)


def _schema(reference: str) -> dict[str, Any]:
    """Return a schema, or the part that a `$ref` names."""
    file, _, place = reference.removesuffix(".json").partition(".json#/")
    schema = SCHEMAS[file]
    for name in filter(None, place.split("/")):
        schema = schema[name]
    return schema


def validate(name: str, value: Any, place: str = "") -> None:
    """Raise `InvalidRequest` if `value` is not what the schema `name` describes.

    `name` may be a reference to a part of a schema; `place` is where the value is in its document.
    """
    if _check(name)(value):
        return
    errors = sorted(
        _validator(name).iter_errors(value), key=lambda error: [str(p) for p in error.path]
    )
    # jsonschema reports each missing field; one message names them all. A value that is too short
    # needs no second error for its format.
    short = [error.path for error in errors if error.validator == "minLength"]
    reported = [e for e in errors if e.validator != "pattern" or e.path not in short]
    sentences = dict.fromkeys(_sentence(error, place) for error in reported)
    if sentences:
        raise InvalidRequest("; ".join(list(sentences)[:_MAX_ERRORS]))


def accept(name: str, body: dict[str, Any], **fixed: Any) -> dict[str, Any]:
    """Validate a body and return its writable fields. Raises `InvalidRequest`.

    Names and titles are trimmed, e-mail addresses normalized. Read-only fields are accepted,
    so that a client can send an object back unchanged, but left out of the result (contract,
    section 1). Fields in `fixed` must have the given value if they are sent.
    """
    for field in _trimmed_fields(name):
        if isinstance(body.get(field), str):
            body[field] = body[field].strip()
    for field in _email_fields(name):
        if isinstance(body.get(field), str):
            body[field] = normalized_email(body[field])
    validate(name, body)
    for field, value in fixed.items():
        if field in body and body[field] != value:
            raise InvalidRequest(f"{field}: can't be changed, expected {json.dumps(value)}")
    read_only = _read_only_fields(name)
    return {field: value for field, value in body.items() if field not in read_only}


def defaults(name: str) -> dict[str, Any]:
    """Return the default value of each property that has one in the schema."""
    properties = SCHEMAS[name]["properties"]
    return {field: part["default"] for field, part in properties.items() if "default" in part}


@functools.cache
def passwords(name: str) -> tuple[str, ...]:
    """Return the names of the password fields of a body."""
    properties = SCHEMAS[name]["properties"]
    return tuple(
        field for field, part in properties.items() if part.get("$ref", "").endswith("password")
    )


@functools.cache
def _trimmed_fields(name: str) -> tuple[str, ...]:
    properties = SCHEMAS[name]["properties"]
    return tuple(field for field, part in properties.items() if part.get("x-trim"))


@functools.cache
def _email_fields(name: str) -> tuple[str, ...]:
    properties = SCHEMAS[name]["properties"]
    return tuple(field for field, part in properties.items() if part.get("x-email"))


@functools.cache
def _read_only_fields(name: str) -> frozenset[str]:
    properties = SCHEMAS[name]["properties"]
    return frozenset(field for field, part in properties.items() if part.get("readOnly"))


def _sentence(error: Any, place: str = "") -> str:
    """Format an error as `field: actual, expected`."""
    path = ".".join(str(part) for part in (*filter(None, [place]), *error.absolute_path))
    field = f"{path}: " if path else ""
    value: Any = error.instance
    expected: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "required":
            prefix = f"{path}." if path else ""
            missing = [name for name in expected if name not in value]
            return "; ".join(f"{prefix}{name}: is required" for name in missing)
        case "dependentRequired":
            given, needed = next(item for item in expected.items() if item[0] in value)
            return f"{field}{', '.join(needed)}: is required to change {given}"
        case "additionalProperties":
            known = schema["properties"]
            unknown = sorted(repr(name)[:60] for name in value if name not in known)
            return f"{field}{', '.join(unknown[:_MAX_ERRORS])}: unknown field"
        case "type":
            return f"{field}{kind(value)}, expected {_kinds(expected)}"
        case "maxLength":
            return f"{field}{len(value):,} characters, at most {expected:,}"
        case "minLength":
            return f"{field}{len(value)} characters, at least {expected}"
        case "maxItems":
            return f"{field}{len(value):,} items, at most {expected:,}"
        case "minimum" | "maximum":
            bound = "at least" if error.validator == "minimum" else "at most"
            return f"{field}expected a number of {bound} {expected}"
        case "enum":
            names = ["null" if value is None else str(value) for value in expected]
            return f"{field}expected one of {', '.join(names)}"
        case "const":
            return f"{field}expected {json.dumps(expected)}"
        case "anyOf":
            return (
                _sentence(error.context[0], place) if error.context else f"{field}not as expected"
            )
    description = schema.get("description", "another form")
    return f"{field}expected {description}"


_KINDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _kinds(expected: str | list[str]) -> str:
    names = [expected] if isinstance(expected, str) else expected
    return " or ".join(_KINDS[name] for name in names)


def kind(value: Any) -> str:
    """Return the JSON type of a value with its article, for error messages."""
    if isinstance(value, bool):
        return "a boolean"
    kinds = {type(None): "null", str: "string", list: "array", dict: "object"}
    return _KINDS[kinds.get(type(value), "number")]
