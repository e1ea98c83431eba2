"""Every property of every schema has a description, which `/docs` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import schemas


def properties(schema: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every property at any depth, by its path."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, path)
    elif isinstance(schema, dict):
        for name, part in schema.get("properties", {}).items():
            yield f"{path}.{name}", part
            yield from properties(part, f"{path}.{name}")
        for keyword, part in schema.items():
            if keyword == "$defs":
                for name, one in part.items():
                    yield from properties(one, f"{path}#{name}")
            elif keyword not in {"properties", "examples", "default"}:
                yield from properties(part, path)


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_every_property_has_a_description(name: str) -> None:
    schema = schemas.SCHEMAS[name]
    assert schema["description"]
    for path, part in properties(schema, name):
        assert isinstance(part, dict), path
        assert part.get("description"), path  # its own, beside a `$ref` too
        assert not part["description"].endswith("."), path
