"""Encode reply events as OpenAI "Chat Completions" and legacy "Completions"."""

from __future__ import annotations

import json
from typing import Any

from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall
from core.errors import InvalidRequest

Document = dict[str, Any]
DONE = b"data: [DONE]\n\n"


def sse(document: Document, name: str = "") -> bytes:
    """Encode a document as a Server-Sent Event."""
    event = f"event: {name}\n" if name else ""
    return f"{event}data: {json.dumps(document, ensure_ascii=False)}\n\n".encode()


class ChatFormat:
    """One chat completion, as chunks or as a whole. Feed it all events in order."""

    def __init__(self, id: str, created: int, model: str, request: Document) -> None:
        """`created` is in epoch seconds; `n` of the request repeats the same choice."""
        self._head = {"id": f"chatcmpl-{id}", "created": created, "model": model}
        self._choices = range(_number_of_choices(request))
        options = request.get("stream_options")
        self._has_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._has_begun = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[Document] = []
        self._end = End()

    def begin(self) -> list[bytes]:
        """Return the chunks that precede the first event of a stream."""
        return []

    def feed(self, event: ReplyEvent) -> list[bytes]:
        """Process an event; return its chunks for a stream."""
        match event:
            case Text(text):
                self._text.append(text)
                return self._delta({"content": text})
            case Reasoning(text):
                self._reasoning.append(text)
                return self._delta({"reasoning_content": text})
            case ToolCall():
                return self._delta({"tool_calls": [self._call(event)]})
        self._end = event
        sent = self._delta({}, event.finish_reason)
        if self._has_usage:
            sent.append(sse({**self._chunk([]), "usage": self.usage}))
        return [*sent, DONE]

    def failure(self, error: Document) -> list[bytes]:
        """Return the chunks that end a stream after a failure."""
        return [sse(error)]

    @property
    def usage(self) -> Document:
        """Return the token usage, as far as it is known."""
        usage = self._end.usage
        prompt, completion = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }

    def whole(self) -> Document:
        """Return the whole response, after all events."""
        message: Document = {"role": "assistant", "content": "".join(self._text)}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["content"] = message["content"] or None
            message["tool_calls"] = self._calls
        choices = [
            {
                "index": index,
                "message": message,
                "logprobs": None,
                "finish_reason": self._end.finish_reason,
            }
            for index in self._choices
        ]
        return {
            **self._head,
            "object": "chat.completion",
            "choices": choices,
            "usage": self.usage,
        }

    def _call(self, call: ToolCall) -> Document:
        """Process a piece of a tool call; return it in the form of a delta."""
        piece: Document = {"index": call.index, "function": {"arguments": call.arguments}}
        if call.id is not None:
            piece |= {"id": call.id, "type": "function"}
            piece["function"]["name"] = call.name
            function = {"name": call.name, "arguments": ""}
            self._calls.append({"id": call.id, "type": "function", "function": function})
        self._calls[call.index]["function"]["arguments"] += call.arguments
        return piece

    def _delta(self, delta: Document, reason: str | None = None) -> list[bytes]:
        if not self._has_begun:
            self._has_begun = True
            delta = {"role": "assistant", **delta}
        return [
            sse(self._chunk([{"index": index, "delta": delta, "finish_reason": reason}]))
            for index in self._choices
        ]

    def _chunk(self, choices: list[Document]) -> Document:
        return {**self._head, "object": "chat.completion.chunk", "choices": choices}


class TextFormat(ChatFormat):
    """One completion of the legacy API, which supports only text."""

    def __init__(self, id: str, created: int, model: str, request: Document) -> None:
        super().__init__(id, created, model, request)
        self._head = {**self._head, "id": f"cmpl-{id}", "object": "text_completion"}

    def whole(self) -> Document:
        """See `ChatFormat`."""
        text, reason = "".join(self._text), self._end.finish_reason
        choices = [self._choice(index, text, reason) for index in self._choices]
        return {**self._head, "choices": choices, "usage": self.usage}

    def _delta(self, delta: Document, reason: str | None = None) -> list[bytes]:
        if reason is None and "content" not in delta:
            return []
        text = delta.get("content", "")
        choices = [self._choice(index, text, reason) for index in self._choices]
        return [sse({**self._head, "choices": [choice]}) for choice in choices]

    def _chunk(self, choices: list[Document]) -> Document:
        return {**self._head, "choices": choices}

    def _choice(self, index: int, text: str, reason: str | None) -> Document:
        return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}


def chat_of_completion(request: Document) -> Document:
    """Convert a "Completions" request to "Chat Completions". Raises `InvalidRequest`."""
    prompt = request.get("prompt") or ""
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise InvalidRequest(
            "prompt: expected one text. Built-in models decode no token ids, and take one prompt at"
            " a time."
        )
    content = prompt
    return {**request, "messages": [{"role": "user", "content": content}]}


_MAX_CHOICES = 16


def _number_of_choices(request: Document) -> int:
    n = request.get("n")
    return min(n, _MAX_CHOICES) if isinstance(n, int) and not isinstance(n, bool) and n > 0 else 1
