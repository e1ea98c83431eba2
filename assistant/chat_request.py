"""An OpenAI "Chat Completions" request, as parsed for the built-in models.

Unsupported parameters are ignored, never rejected.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from assistant import AttachedFile, PromptMessage
from core import file_names
from core.file_types import TypeDetector

_DATA_URL = re.compile(r"data:[^,]{0,200};base64,(.*)\Z", re.DOTALL)


class Tool(NamedTuple):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Any


class ChatRequest:
    """The supported parts of a request."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request
        messages = request.get("messages")
        self.messages = [m for m in messages if isinstance(m, dict)] if messages else []

    @property
    def prompt(self) -> list[PromptMessage]:
        """The conversation as text and files, without tool results."""
        roles: dict[Any, Any] = {
            "developer": "system",
            "system": "system",
            "assistant": "assistant",
        }
        return [
            PromptMessage(
                roles.get(message.get("role"), "user"),
                text_of(message.get("content")),
                files_of(message.get("content")),
            )
            for message in self.messages
            if message.get("role") not in ("tool", "function")
        ]

    @property
    def question(self) -> str:
        """The user's last message."""
        texts = (message.content for message in reversed(self.prompt) if message.role == "user")
        return next(texts, "")

    @property
    def results(self) -> list[tuple[str, str]]:
        """The names and results of tools since the user's last message."""
        names: dict[str, str] = {}
        results: list[tuple[str, str]] = []
        for message in self.messages:
            if message.get("role") == "user":
                results = []
            for call in message.get("tool_calls") or []:
                if isinstance(call, dict) and isinstance(call.get("function"), dict):
                    names[str(call.get("id"))] = str(call["function"].get("name"))
            if message.get("role") in ("tool", "function"):
                id = str(message.get("tool_call_id"))
                name = str(message.get("name") or names.get(id, "tool"))
                results.append((name, text_of(message.get("content"))))
        return results

    @property
    def called(self) -> set[str]:
        """The names of the tools called in this conversation."""
        calls = [
            call.get("function")
            for message in self.messages
            for call in message.get("tool_calls") or []
            if isinstance(call, dict)
        ]
        spoken = " ".join(m.content for m in self.prompt if m.role == "assistant")
        named = {str(call.get("name")) for call in calls if isinstance(call, dict)}
        return named | {tool.name for tool in self.tools if tool.name in spoken}

    @property
    def tools(self) -> list[Tool]:
        listed = self._request.get("tools")
        found = [t.get("function") for t in listed or [] if isinstance(t, dict)]
        found += [f for f in self._request.get("functions") or [] if isinstance(f, dict)]
        return [
            Tool(str(f["name"]), str(f.get("description") or ""), f.get("parameters"))
            for f in found
            if isinstance(f, dict) and f.get("name")
        ]

    @property
    def tool_choice(self) -> str:
        """`auto`, `none`, `required`, or `function:NAME`."""
        choice = self._request.get("tool_choice", self._request.get("function_call"))
        if isinstance(choice, dict):
            function = choice.get("function")
            name = function.get("name") if isinstance(function, dict) else choice.get("name")
            return f"function:{name}" if name else "required"
        return {"any": "required"}.get(str(choice), str(choice)) if choice else "auto"

    @property
    def schema(self) -> Any:
        """The JSON schema of the answer; None for plain text."""
        form = self._request.get("response_format")
        kind = form.get("type") if isinstance(form, dict) else None
        if kind == "json_schema" and isinstance(form, dict):
            named = form.get("json_schema")
            return named.get("schema") if isinstance(named, dict) else form.get("schema")
        if kind == "json_object" and isinstance(form, dict):
            return form.get("schema") or {
                "type": "object",
                "properties": {"answer": {"type": "string"}},
            }
        return None

    @property
    def stop(self) -> list[str]:
        stop = self._request.get("stop")
        sequences = stop if isinstance(stop, list) else [stop]
        return [sequence for sequence in sequences if isinstance(sequence, str) and sequence]

    @property
    def max_tokens(self) -> int | None:
        for name in ("max_completion_tokens", "max_tokens"):
            value = self._request.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
        return None


def files_of(content: Any) -> tuple[AttachedFile, ...]:
    """Return the files that a message's content contains as `data:` URLs. Nothing is fetched."""
    parts = content if isinstance(content, list) else []
    found = (_file_of(part) for part in parts if isinstance(part, dict))
    return tuple(file for file in found if file is not None)


def _file_of(part: dict[str, Any]) -> AttachedFile | None:
    given = part.get("image_url") or part.get("file")
    fields = given if isinstance(given, dict) else {"url": given}
    match = _DATA_URL.match(str(fields.get("url") or fields.get("file_data") or ""))
    if match is None:
        return None
    try:
        content = base64.b64decode(match[1])
    except ValueError:
        return None
    if not content:
        return None
    detector = TypeDetector()
    detector.add(content)
    name = file_names.cleaned(str(fields.get("filename") or part.get("type") or ""))
    return AttachedFile(name, detector.content_type(), len(content), content)


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, list):
        return "".join(text_of(part) for part in content)
    if isinstance(content, dict):
        return text_of(content.get("text"))
    return content if isinstance(content, str) else ""
