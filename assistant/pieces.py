"""Extract text, reasoning and tool calls from a `delta` or `message` of any dialect."""

from __future__ import annotations

from typing import Any, NamedTuple

_REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
_REASONING_PARTS = {"thinking", "reasoning", "reasoning_text", "summary_text"}


class Pieces(NamedTuple):
    """The content of a delta or message; `tool_calls` are unparsed."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[Any] = []  # noqa: RUF012 - never changed
    is_refusal: bool = False


def pieces_of(delta: dict[str, Any]) -> Pieces:
    """Return the content of a delta or message."""
    text, thought = _content(delta.get("content"))
    refusal = delta.get("refusal")
    is_refusal = isinstance(refusal, str) and bool(refusal)
    calls = delta.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    if not calls and isinstance(delta.get("function_call"), dict):
        calls = [delta["function_call"]]  # legacy field for tool calls
    return Pieces(
        text=text + refusal if is_refusal and isinstance(refusal, str) else text,
        reasoning=_reasoning(delta) or thought,
        tool_calls=calls,
        is_refusal=is_refusal,
    )


def _content(content: Any) -> tuple[str, str]:
    """Return the text and reasoning of a content: a string, or a list of parts (Mistral)."""
    if isinstance(content, str):
        return content, ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind = part.get("type")
            piece = _first_text(part, ("text", "thinking", "refusal", "content", "reasoning"))
            (thoughts if kind in _REASONING_PARTS else texts).append(piece)
    return "".join(texts), "".join(thoughts)


def _reasoning(delta: dict[str, Any]) -> str:
    """Return the reasoning once, even if a server sends it in two fields."""
    named = _first_text(delta, _REASONING)
    return named or _text(delta.get("reasoning_details"))


def _first_text(part: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(part.get(name)))), "")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(_text(item) for item in value)
    if isinstance(value, dict):
        return _first_text(value, ("text", "content", "summary"))
    return value if isinstance(value, str) else ""
