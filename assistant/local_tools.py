"""Tool calls for an embedded model whose chat template does not support them.

llama.cpp ignores tools for such a model. So the tool is selected as in `quillium-demo`, and the
model fills its parameters, constrained to their schema by a grammar.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from assistant.chat_request import ChatRequest, text_of
from assistant.demo_completions import tool_to_call
from assistant.events import End, ReplyEvent, Text, ToolCall

_TOOLS = ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call")
_NO_PARAMETERS = {"type": "object", "properties": {}}

Complete = Callable[[Mapping[str, Any]], AsyncGenerator[ReplyEvent, None]]


def are_in(request: Mapping[str, Any]) -> bool:
    """Return whether a request contains tools or tool results."""
    chat = ChatRequest(request)
    roles = {message.get("role") for message in chat.messages}
    return bool(chat.tools or chat.called or roles & {"tool", "function"})


async def complete(request: Mapping[str, Any], ask: Complete) -> AsyncGenerator[ReplyEvent, None]:
    """Answer a request with tools by sending requests without them."""
    plain = {name: value for name, value in request.items() if name not in _TOOLS}
    plain["messages"] = _plain_messages(request)
    tool = tool_to_call(ChatRequest(request))
    if tool is None:
        async with aclosing(ask(plain)) as events:
            async for event in events:
                yield event
        return
    hint = f"Call the function {tool.name}: {tool.description}"
    plain["messages"] = [*plain["messages"], {"role": "system", "content": hint}]
    schema = {"name": tool.name, "schema": tool.parameters or _NO_PARAMETERS}
    plain["response_format"] = {"type": "json_schema", "json_schema": schema}
    has_begun = False
    async with aclosing(ask(plain)) as events:
        async for event in events:
            if isinstance(event, Text):
                if not has_begun:
                    has_begun = True
                    seed = f"{tool.name} {len(plain['messages'])}"
                    id = "call_" + hashlib.sha256(seed.encode()).hexdigest()[:24]
                    yield ToolCall(0, id, tool.name, "")
                yield ToolCall(0, None, None, event.text)
            elif isinstance(event, End):
                is_whole = event.finish_reason == "stop"
                yield End("tool_calls" if is_whole else event.finish_reason, event.usage)


def _plain_messages(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Convert calls and results in the messages to text, which any template accepts."""
    plain: list[dict[str, Any]] = []
    for message in ChatRequest(request).messages:
        role, content = message.get("role"), text_of(message.get("content"))
        for call in message.get("tool_calls") or []:
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                content += f"\nI call {function.get('name')} with {function.get('arguments')}."
        if role in ("tool", "function"):
            role, content = "user", f"The result is: {content}\nTell it in your own words."
        plain.append({"role": role, "content": content.strip()})
    return plain
