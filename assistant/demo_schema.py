"""Fill a JSON schema from a text, deterministically; the result is valid.

`pattern` is ignored, because a caller's regular expression could run forever.
"""

from __future__ import annotations

import math
import re
from typing import Any

_MAX_NODES = 1_000
_MAX_DEPTH = 24
_MAX_ITEMS = 50
_LARGEST_NUMBER = 10**15  # the largest integer range that a float represents exactly
_MAX_TEXT = 500  # characters
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
_PROPER_NAME = re.compile(r"\b[A-Z\u00c0-\u00de]\w+(?:[ -][A-Z\u00c0-\u00de]\w+)*")
_FORMATS = {
    "date": "2024-01-01",
    "date-time": "2024-01-01T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Harmless values, because an agent may execute or write a tool's arguments.
_HARMLESS = (
    (re.compile(r"command|cmd|shell|bash|script", re.I), "echo quillium-demo"),
    (re.compile(r"code|program", re.I), 'print("quillium-demo")'),
    (re.compile(r"dir|folder|cwd", re.I), "."),
    (re.compile(r"path|file", re.I), "quillium-demo.txt"),
    (re.compile(r"url|uri|link|website", re.I), "https://example.com/"),
    (re.compile(r"e.?mail", re.I), "ada@example.com"),
    (re.compile(r"date\b|_date|day", re.I), "2024-01-01"),
)
_PLACES = re.compile(r"city|place|location|country|town|name|person|who|where|destination", re.I)


class SchemaFiller:
    """Fills schemas from one text, with its numbers and names in order of occurrence."""

    def __init__(self, text: str) -> None:
        self._text = " ".join(text.split())[:_MAX_TEXT] or "quillium-demo"
        self._numbers = [float(found) for found in _NUMBER.findall(self._text)][::-1]
        # A capitalized word is a name, unless it starts a sentence.
        names = list(_PROPER_NAME.finditer(self._text))
        inner = [m[0] for m in names if self._text[: m.start()].rstrip()[-1:].islower()]
        self._names = [*inner, *(m[0] for m in names if m[0] not in inner)]
        self._nodes = 0
        self._root: Any = {}

    def fill(self, schema: Any) -> Any:
        """Return a value of the schema."""
        self._root = schema
        return self._value(schema, "", 0)

    def arguments(self, schema: Any) -> dict[str, Any]:
        """Return a tool's arguments: the required ones, or all if none is required."""
        required = _list(schema, "required") if isinstance(schema, dict) else []
        filled = self.fill(schema)
        if not isinstance(filled, dict):
            return {}
        return {name: part for name, part in filled.items() if name in required or not required}

    def _value(self, schema: Any, name: str, depth: int) -> Any:
        schema = self._resolved(schema, depth)
        if not schema:
            return self._string({}, name)
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        if values := _list(schema, "enum"):
            return self._chosen(values)
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer":
                return int(self._number(schema, step=1))
            case "number":
                return self._number(schema, step=0)
            case "boolean":
                return True
            case "null":
                return None
        return self._string(schema, name)

    def _resolved(self, schema: Any, depth: int) -> dict[str, Any]:
        """Resolve references, and select the first alternative that is not null."""
        for _ in range(_MAX_DEPTH):
            self._nodes += 1
            if not isinstance(schema, dict) or self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
                return {}
            if isinstance(schema.get("$ref"), str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                found = self._referred(schema["$ref"])
                schema = {**found, **rest} if isinstance(found, dict) else {}
            elif isinstance(schema.get("allOf"), list):
                schema = self._merged(schema, depth)
            elif options := _list(schema, "anyOf") or _list(schema, "oneOf"):
                rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "default")}
                usable = [o for o in options if isinstance(o, dict) and o.get("type") != "null"]
                # Limits the recursion of a self-referencing schema.
                simple = [o for o in usable if "$ref" not in o] if depth > 6 else usable
                nulls = [o for o in options if isinstance(o, dict) and o not in usable]
                chosen = (simple or nulls or usable or [{"type": "null"}])[0]
                schema = {**rest, **chosen}
            else:
                return schema
        return {}

    def _merged(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"][:_MAX_ITEMS]:
            resolved = self._resolved(part, depth + 1)
            both = [part.get("properties") for part in (merged, resolved)]
            properties = {k: v for each in both if isinstance(each, dict) for k, v in each.items()}
            merged = {**merged, **resolved} | ({"properties": properties} if properties else {})
        return merged

    def _referred(self, reference: str) -> Any:
        found: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        needed = _list(schema, "required")
        return {
            name: self._value(part, name, depth + 1)
            for name, part in properties.items()
            if name in needed or depth < 4
        }

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        if fixed := _list(schema, "prefixItems"):
            return [self._value(part, name, depth + 1) for part in fixed[:_MAX_ITEMS]]
        least, most = _whole(schema, "minItems", 0), _whole(schema, "maxItems", _MAX_ITEMS)
        count = min(max(least, 1 if depth <= 6 else 0), most, _MAX_ITEMS)
        items = [self._value(schema.get("items"), name, depth + 1) for _ in range(count)]
        if schema.get("uniqueItems"):
            items = [f"{x} {n}" if n and isinstance(x, str) else x for n, x in enumerate(items)]
        return items

    def _chosen(self, values: list[Any]) -> Any:
        """Return the value that occurs in the text, else the first."""
        text = self._text.lower()
        named = (value for value in values if isinstance(value, str) and value.lower() in text)
        return next((value for value in named if value), values[0])

    def _number(self, schema: dict[str, Any], step: int) -> float:
        """Return the text's next number, clamped to the bounds; `step` is 1 for integers."""
        margin = step or 1e-3
        value = self._numbers.pop() if self._numbers else 1.0
        above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
        low = max(_bound(schema, "minimum", -math.inf), above + margin)
        high = min(_bound(schema, "maximum", math.inf), below - margin)
        value = min(max(value, low), high)
        multiple = _bound(schema, "multipleOf", float(step))
        if multiple > 0:
            value = math.floor(value / multiple) * multiple
            value += multiple if value < low else 0
        return int(value) if value == int(value) else value

    def _string(self, schema: dict[str, Any], name: str) -> str:
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS:
            return _FORMATS[form]
        for example in _list(schema, "examples"):
            if isinstance(example, str):
                return example
        text = next((safe for kind, safe in _HARMLESS if kind.search(name)), None)
        if text is None and _PLACES.search(name) and self._names:
            text = self._names[0]
            self._names = [*self._names[1:], text]
        text = self._text if text is None else text
        least, most = _whole(schema, "minLength", 0), _whole(schema, "maxLength", 10_000)
        return text.ljust(min(least, 10_000), ".")[:most]


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if kind is None and "properties" in schema:
        return "object"
    if kind is None and ("items" in schema or "prefixItems" in schema):
        return "array"
    return str(kind)


def _list(schema: dict[str, Any], name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []


def _bound(schema: dict[str, Any], name: str, default: float | None = None) -> float:
    if default is None:
        default = -math.inf if name == "exclusiveMinimum" else math.inf
    value = schema.get(name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or value is None or abs(value) > _LARGEST_NUMBER:
        return default
    return float(value)


def _whole(schema: dict[str, Any], name: str, default: int) -> int:
    value = schema.get(name)
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
    )
