"""Convert the schemas to OpenAPI components, in forms that client generators support.

Generators resolve a `$ref` only to a whole component, read a type from `type` but not from `const`
or `enum`, and recognize a nullable value as `["string", "null"]`: openapi-generator 7 doesn't
support `{"type": "null"}` on its own.
"""

from __future__ import annotations

import json
import re
from typing import Any

from schemas import SCHEMAS

_HIDDEN = {"$schema", "$id", "$defs"}
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
_NULL = {"type": "null"}
_KEYWORDS = {  # by the type that they apply to
    "array": ("items", "minItems", "maxItems"),
    "string": ("pattern", "minLength", "maxLength"),
    "object": ("properties", "required", "additionalProperties"),
}
_REFERENCE = re.compile(r'"#/components/schemas/([\w-]+)"')


def reference(name: str) -> dict[str, str]:
    """Return a `$ref` to the component of a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(used: Any) -> dict[str, Any]:
    """Return the components that a part of the document uses, directly or indirectly."""
    known = _all()
    found: dict[str, Any] = {}
    waiting = [used]
    while waiting:
        for name in _REFERENCE.findall(json.dumps(waiting.pop())):
            if name not in found:
                found[name] = known[name]
                waiting.append(known[name])
    return dict(sorted(found.items()))


def _all() -> dict[str, Any]:
    """Return all components: schema files, common parts, and WebSocket frames."""
    made = {name: _converted(schema) for name, schema in SCHEMAS.items() if name != "common"}
    for part, schema in SCHEMAS["common"]["$defs"].items():
        made[_common(part)] = _converted(schema)
    made["frame_to_server"] = {
        "title": "Frame to the server",
        "description": "What a client may send over the WebSocket",
        "oneOf": [
            {
                "type": "object",
                "title": f"{name.removeprefix('client_').title()} frame to the server",
                "properties": {
                    "type": {
                        "description": "Type of the frame",
                        "type": "string",
                        "const": name.removeprefix("client_"),
                    },
                    "data": reference(name),
                },
                "required": ["type", "data"],
            }
            for name in SCHEMAS
            if name.startswith("client_")
        ],
    }
    made["frame_from_server"] = {
        "title": "Frame from the server",
        "description": "What the server sends over the WebSocket",
        "oneOf": [reference(name) for name in SCHEMAS if name.startswith("server_")],
    }
    return made


def _converted(schema: Any) -> Any:
    if isinstance(schema, list):
        return [item if item == _NULL else _converted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "null":
        schema = {**schema, "type": ["string", "null"]}
    schema = _split(_nullable(schema))
    if "properties" in schema:  # new clients should not send ignored fields
        known = schema["properties"].items()
        offered = {name: part for name, part in known if not part.get("readOnly")}
        schema = {**schema, "properties": offered}
    shown = {
        keyword: part if keyword in {"examples", "default"} else _converted(part)
        for keyword, part in schema.items()
        if keyword not in _HIDDEN and not keyword.startswith("x-") and keyword != "$ref"
    }
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values and "type" not in schema:
        types = sorted({_JSON_TYPES[type(value)] for value in values}, key=lambda t: t == "null")
        shown["type"] = types[0] if len(types) == 1 else types
    if shown.get("type") == "array":
        shown.setdefault("items", {})
    return {**_resolved(schema["$ref"]), **shown} if "$ref" in schema else shown


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace `anyOf` with `{"type": "null"}` by a nullable scalar type."""
    options = schema.get("anyOf", [])
    if len(options) != 2 or options[1] != _NULL:
        return schema
    part = _target(options[0])
    if not isinstance(part.get("type"), str) or part["type"] == "object":
        return schema
    rest = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
    merged = {**part, **rest, "type": [part["type"], "null"]}
    merged.pop("default", None)
    return merged


def _split(schema: dict[str, Any]) -> dict[str, Any]:
    """Split a schema with several types into one option per type, as generated classes need."""
    types = schema.get("type")
    if not isinstance(types, list) or len(set(types) - {"null"}) < 2:
        return schema
    own = {keyword: kind for kind in types for keyword in _KEYWORDS.get(kind, ())}
    options: dict[str, dict[str, Any]] = {kind: {"type": kind} for kind in types}
    rest: dict[str, Any] = {}
    for keyword, part in schema.items():
        if keyword in own:
            options[own[keyword]][keyword] = part
        elif keyword != "type":
            rest[keyword] = part
    return {**rest, "anyOf": list(options.values())}


def _target(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a schema's `$ref`, or the schema itself."""
    if "$ref" not in schema:
        return schema
    file, _, place = schema["$ref"].partition(".json")
    found: dict[str, Any] = SCHEMAS[file]
    for name in filter(None, place.removeprefix("#/").split("/")):
        found = found[name]
    return found


def _resolved(ref: str) -> Any:
    """Return a reference to a component, or the part itself for a reference into another file.

    Drop the default, because generated clients would send it.
    """
    file, _, place = ref.partition(".json")
    if file == "common":
        return reference(_common(place.removeprefix("#/$defs/")))
    if not place:
        return reference(file)
    part = _target({"$ref": ref})
    return _converted({name: value for name, value in part.items() if name != "default"})


def _common(part: str) -> str:
    """Return the component name of a common part: its own, unless a file has the same name."""
    return f"{part}_object" if part in SCHEMAS else part
