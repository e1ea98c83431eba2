"""Assemble streamed tool calls, whose arguments arrive in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.events import ToolCall
from assistant.text import TextJoiner, storable


class ToolCallCollector:
    """Numbers the calls of an answer, and assigns each piece to its call."""

    def __init__(self) -> None:
        self.names: list[str] = []  # of the calls, by our index
        self._numbers: dict[int, int] = {}  # by the server's own index
        self._ids: dict[int, str] = {}  # of the latest call, by the server's own index
        self._joiners: list[TextJoiner] = []

    def add(self, calls: Sequence[Any]) -> Iterator[ToolCall]:
        """Yield the pieces in a delta or message."""
        for position, call in enumerate(calls):
            if isinstance(call, dict):
                yield from self._add(call, position)

    def _add(self, call: dict[str, Any], position: int) -> Iterator[ToolCall]:
        index = call.get("index")
        if not isinstance(index, int):
            index = position
        function = next(
            (call[k] for k in ("function", "custom") if isinstance(call.get(k), dict)), call
        )
        name = function.get("name")
        name = storable(name) if isinstance(name, str) else ""
        id = call.get("id")
        id = storable(id) if isinstance(id, str) else ""
        is_new = index not in self._numbers or self._is_another(index, id, name)
        if is_new:
            if not name and not id:
                return  # a piece of an unknown call
            self._numbers[index] = len(self.names)
            self.names.append(name)
            self._joiners.append(TextJoiner())
        if id:
            self._ids[index] = id
        number = self._numbers[index]
        arguments = self._joiners[number].add(_arguments(function))
        if is_new:
            yield ToolCall(number, id or f"call_{number}", name, arguments)
        elif arguments:
            yield ToolCall(number, None, None, arguments)

    def _is_another(self, index: int, id: str, name: str) -> bool:
        """Return whether a call reuses an index; Gemini gives all calls index 0."""
        return bool(id and name and self._ids.get(index) not in (None, id))


def _arguments(function: dict[str, Any]) -> str:
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments) if isinstance(arguments, (dict, list)) else ""
