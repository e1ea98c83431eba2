"""Convert OpenAI "Responses" requests to "Chat Completions", for servers without "Responses".

Codex and the Vercel AI SDK use "Responses" by default.
"""

from __future__ import annotations

import json
from typing import Any

from assistant.chat_request import text_of
from core.errors import InvalidRequest

Document = dict[str, Any]

# Parameters with the same name in both formats.
_SAME = ("temperature", "top_p", "parallel_tool_calls", "user", "metadata", "seed", "stop",
         "service_tier", "prompt_cache_key", "safety_identifier", "top_logprobs")  # fmt: skip
_FOR_OPENAI_ALONE = {"metadata", "service_tier", "prompt_cache_key", "safety_identifier"}
CUSTOM_INPUT = "input"  # the only parameter of a custom tool that was converted to a function


def to_chat(request: Document) -> Document:
    """Convert a request to "Chat Completions". Raises `InvalidRequest`."""
    for field in ("previous_response_id", "conversation"):
        if request.get(field):
            raise InvalidRequest(
                f"{field}: nothing is stored here. Send the whole conversation as input."
            )
    if request.get("background"):
        raise InvalidRequest("background: responses are sent while they are written, not stored.")
    messages: list[Document] = []
    if isinstance(request.get("instructions"), str) and request["instructions"]:
        messages.append({"role": "system", "content": request["instructions"]})
    given = request.get("input")
    if isinstance(given, str):
        messages.append({"role": "user", "content": given})
    for item in given if isinstance(given, list) else []:
        if isinstance(item, dict):
            _add(messages, item)
    chat: Document = {
        "model": request["model"],
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    chat |= {
        name: request[name]
        for name in _SAME
        if request.get(name) is not None and name not in _FOR_OPENAI_ALONE
    }
    if request.get("max_output_tokens") is not None:
        chat["max_tokens"] = request["max_output_tokens"]
    reasoning = request.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("effort"):
        chat["reasoning_effort"] = reasoning["effort"]
    return chat | _format(request) | _tools(request)


def custom_tools(request: Document) -> set[str]:
    """Return the names of the custom tools, which take plain text."""
    tools = request.get("tools")
    return {
        str(tool.get("name"))
        for tool in (tools if isinstance(tools, list) else [])
        if isinstance(tool, dict) and tool.get("type") == "custom"
    }


def _add(messages: list[Document], item: Document) -> None:
    """Append an input item to the messages. Unsupported items are ignored."""
    match item.get("type", "message"):
        case "message":
            role = item.get("role", "user")
            role = "system" if role == "developer" else role
            messages.append({"role": role, "content": _content(item.get("content"))})
        case "function_call" | "custom_tool_call":
            arguments = item.get("arguments")
            if item["type"] == "custom_tool_call":
                arguments = json.dumps({CUSTOM_INPUT: item.get("input", "")})
            function = {"name": item.get("name", ""), "arguments": arguments or "{}"}
            call = {"id": item.get("call_id", ""), "type": "function", "function": function}
            last = messages[-1] if messages else {}
            if last.get("role") == "assistant":
                last.setdefault("tool_calls", []).append(call)
            else:
                messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        case "function_call_output" | "custom_tool_call_output":
            content = _content(item.get("output"))
            content = content if isinstance(content, str) else text_of(content)
            messages.append(
                {"role": "tool", "tool_call_id": item.get("call_id", ""), "content": content}
            )
        case "item_reference":
            raise InvalidRequest("input: nothing is stored here that an item could refer to.")


def _content(content: Any) -> Any:
    """Convert a content; if it is all text, to a string, which every template accepts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    parts: list[Document] = []
    for part in content:
        if not isinstance(part, dict):
            continue
        match part.get("type"):
            case "input_image":
                image = {"url": part.get("image_url") or "", "detail": part.get("detail", "auto")}
                parts.append({"type": "image_url", "image_url": image})
            case "input_file":
                file = {k: v for k, v in part.items() if k in ("file_id", "file_data", "filename")}
                parts.append({"type": "file", "file": file})
            case "input_audio":
                parts.append({"type": "input_audio", "input_audio": part.get("input_audio")})
            case _:
                parts.append({"type": "text", "text": part.get("text") or part.get("refusal", "")})
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _format(request: Document) -> Document:
    text = request.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict) or form.get("type") in (None, "text"):
        return {}
    if form["type"] != "json_schema":
        return {"response_format": {"type": form["type"]}}
    schema = {k: v for k, v in form.items() if k != "type" and v is not None}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _tools(request: Document) -> Document:
    """Convert function and custom tools; tools that run on OpenAI's servers are dropped."""
    tools: list[Document] = []
    listed = request.get("tools")
    for tool in listed if isinstance(listed, list) else []:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind == "function":
            function = {k: v for k, v in tool.items() if k != "type" and v is not None}
            tools.append({"type": "function", "function": function})
        elif kind == "custom":
            tools.append({"type": "function", "function": _function_of(tool)})
    if not tools:
        return {}
    choice = request.get("tool_choice")
    if isinstance(choice, dict):
        if choice.get("type") == "allowed_tools":
            choice = choice.get("mode")
        elif choice.get("name"):
            choice = {"type": "function", "function": {"name": choice["name"]}}
        else:
            choice = None
    return {"tools": tools} | ({"tool_choice": choice} if choice else {})


def _function_of(tool: Document) -> Document:
    """Convert a custom tool, which takes plain text, to a function with one parameter."""
    description = str(tool.get("description") or "")
    form = tool.get("format")
    if isinstance(form, dict) and form.get("definition"):
        description += f"\n\nThe input follows this grammar:\n{form['definition']}"
    return {
        "name": tool.get("name"),
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {CUSTOM_INPUT: {"type": "string"}},
            "required": [CUSTOM_INPUT],
        },
    }
