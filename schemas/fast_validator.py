"""A fast validator for valid documents: the result is "valid" or "unknown".

Nearly all documents are valid. Confirming that takes a microsecond here, and twenty with jsonschema
(plus 40 ms to import it). For "unknown", jsonschema decides and explains the error. So "valid" must
never be wrong; a test runs both validators on the same documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from core import identity, times

Check = Callable[[Any], bool]
Find = Callable[[str], Check]  # returns the check of a `$ref`'s target

_ANNOTATIONS = {
    "$schema", "$id", "$defs", "title", "description", "examples", "default", "readOnly",
    "x-trim", "x-email",
}  # fmt: skip
_OF_OBJECTS = {"properties", "required", "additionalProperties"}
_TYPES: dict[str, Check] = {
    "string": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
    "null": lambda value: value is None,
}


def compiled(schema: dict[str, Any], find: Find) -> Check:
    """Compile a schema to a check. Raises `KeyError` for an unsupported keyword."""
    checks = [
        _KEYWORDS[keyword](value, find)
        for keyword, value in schema.items()
        if keyword not in _ANNOTATIONS | _OF_OBJECTS
    ]
    if _OF_OBJECTS & schema.keys():
        checks.append(_object(schema, find))
    return _every(checks)


def python_pattern(pattern: str) -> str:
    """Translate a JSON Schema pattern: Python's `$` also matches before a final newline."""
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def _every(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> bool:
        for one in checks:  # noqa: SIM110 - the generator of `all()` costs more than the checks
            if not one(value):
                return False
        return True

    return check


def _object(schema: dict[str, Any], find: Find) -> Check:
    known = {name: compiled(part, find) for name, part in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    is_open = schema.get("additionalProperties", True)

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name, part in value.items():
            one = known.get(name)
            if one is None:
                if not is_open:
                    return False
            elif not one(part):
                return False
        return required <= value.keys()

    return check


def _type(names: str | list[str], find: Find) -> Check:
    if isinstance(names, str):
        return _TYPES[names]
    checks = [_TYPES[name] for name in names]
    return lambda value: any(check(value) for check in checks)


def _equal(value: Any, expected: Any) -> bool:
    return type(value) is type(expected) and bool(value == expected)  # True is not 1


def _pattern(pattern: str, find: Find) -> Check:
    search = re.compile(python_pattern(pattern)).search
    return lambda value: type(value) is not str or search(value) is not None


def valid_format(name: str, value: Any) -> bool:
    """Return whether a value has a `format`; of these, only `date-time` (RFC 3339) is checked."""
    return name != "date-time" or not isinstance(value, str) or times.is_valid(value)


def _format(name: str, find: Find) -> Check:
    return lambda value: valid_format(name, value)


def _items(schema: dict[str, Any], find: Find) -> Check:
    check = compiled(schema, find)
    return lambda value: type(value) is not list or all(map(check, value))


def _dependent(needed: dict[str, list[str]], find: Find) -> Check:
    return lambda value: (
        type(value) is not dict
        or all(set(names) <= value.keys() for name, names in needed.items() if name in value)
    )


def _any_of(schemas: list[dict[str, Any]], find: Find) -> Check:
    checks = [compiled(schema, find) for schema in schemas]
    return lambda value: any(check(value) for check in checks)


def _one_of(schemas: list[dict[str, Any]], find: Find) -> Check:
    # An option with the result "unknown" may still be valid, so "exactly one" is undecidable unless
    # the options have different types, as in these schemas.
    checks = [compiled(schema, find) for schema in schemas]
    return lambda value: sum(check(value) for check in checks) == 1


def _not(schema: dict[str, Any], find: Find) -> Check:
    # "Unknown" is not "invalid": only a value of another type certainly fails the condition.
    is_type = _TYPES[schema["type"]]
    return lambda value: not is_type(value)


_KEYWORDS: dict[str, Callable[[Any, Find], Check]] = {
    "$ref": lambda reference, find: find(reference),
    "type": _type,
    "const": lambda expected, find: lambda value: _equal(value, expected),
    "enum": lambda expected, find: lambda value: any(_equal(value, one) for one in expected),
    "pattern": _pattern,
    "format": _format,
    "x-visible": lambda _, find: lambda v: type(v) is not str or identity.is_visible(v),
    "minLength": lambda least, find: lambda value: type(value) is not str or len(value) >= least,
    "maxLength": lambda most, find: lambda value: type(value) is not str or len(value) <= most,
    "minimum": lambda least, find: lambda v: type(v) not in (int, float) or v >= least,
    "maximum": lambda most, find: lambda v: type(v) not in (int, float) or v <= most,
    "items": _items,
    "minItems": lambda least, find: lambda value: type(value) is not list or len(value) >= least,
    "maxItems": lambda most, find: lambda value: type(value) is not list or len(value) <= most,
    "dependentRequired": _dependent,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}
